# Functions of jq that are best said in jq. Names with two underscores are native or for use in here.
def empty: [][] as $x | .;
def error: __raise as $x | .;
def error(message): (message | __raise) as $x | .;
def select(f): if f then . else empty end;
def tostring: "\(.)";

def nulls: select(type == "null");
def booleans: select(type == "boolean");
def numbers: select(type == "number");
def strings: select(type == "string");
def arrays: select(type == "array");
def objects: select(type == "object");
def iterables: select(type == ("array", "object"));
def scalars: select(__scalar);
def values: select(. != null);

def map(f): [.[] | f];
def map_values(f): .[] |= f;
def first: .[0];
def last: .[-1];
def nth($n): .[$n];
def nth($n; f): if $n < 0 then error("`nth` counts from 0") else first(skip($n; f)) end;
def isempty(f): first((f | false), true);
def any(each; f): isempty(first(each | f or empty)) | not;
def all(each; f): isempty(first(each | f and empty));
def any(f): any(.[]; f);
def all(f): all(.[]; f);
def any: any(.);
def all: all(.);
def in(whole): . as $key | whole | has($key);
def inside(whole): . as $part | whole | contains($part);
def add(f): [f] | add;
def flatten: flatten(1000);
def index($part): indices($part) | .[0];
def rindex($part): indices($part) | .[-1:][0];

def sort: __sorted(.);
def sort_by(f): __sorted([.[] | [f]]);
def group_by(f): __grouped([.[] | [f]]);
def unique: __unique(.);
def unique_by(f): __unique([.[] | [f]]);
def min: __smallest(.);
def max: __largest(.);
def min_by(f): __smallest([.[] | [f]]);
def max_by(f): __largest([.[] | [f]]);

def with_entries(f): to_entries | map(f) | from_entries;
def getpath($path): ($path | __path) as $path | reduce $path[] as $key (.; .[$key]);
def paths: path(..) | select(. != []);
def paths(f): path(.. | select(f)) | select(. != []);
def del(f): delpaths([path(f)]);

def test($regex): test($regex; null);
def match($regex; $flags): __matches($regex; $flags)[];
def match($regex): match($regex; null);
def capture($regex; $flags): __captured($regex; $flags)[];
def capture($regex): capture($regex; null);
def scan($regex; $flags): __matches($regex; "g" + $flags)[] | if .captures == [] then .string else [.captures[].string] end;
def scan($regex): scan($regex; null);
def split($regex; $flags): [__pieces($regex; "g" + $flags)[] | strings];
def splits($regex; $flags): split($regex; $flags)[];
def splits($regex): splits($regex; null);
def sub($regex; f; $flags): [__pieces($regex; $flags)[] | if type == "string" then . else [f] | __replacement end] | __joined;
def sub($regex; f): sub($regex; f; null);
def gsub($regex; f; $flags): sub($regex; f; "g" + $flags);
def gsub($regex; f): sub($regex; f; "g");

def @text: tostring;
def @json: tojson;
