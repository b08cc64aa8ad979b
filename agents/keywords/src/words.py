"""A text's words, sentence by sentence, and which of them say nothing."""

import re
from dataclasses import dataclass
from typing import Iterator, List

# What ends a run of words: a mark before a blank, a bracket or quote, a dash between blanks, a list's mark or an empty line.
# No part can match the same text in two ways or run over lines, so that no text takes longer than its length asks for.
_BREAK = re.compile(
    r"[.!?:;,)\]}\"”“»|*#>=/\\<](?=\s|$)|[(\[{\"“„«|*#><=`…]|\s[-–—]+\s|\n[ \t]*(?:[-+*•]|\d{1,9}[.)])\s|\n[ \t]*\n", re.MULTILINE
)
_WORD = re.compile(r"[^\W_]+(?:['’\-.+/_][^\W_]+)*(?:\+\+|#)?")

ENGLISH = frozenset(
    """a about above after again against all almost also although always am among an and another any anyone anything are around as at away
    back be became because become been before began being below between both but by call called came can cannot come could did do does doing
    done down during each either else end enough even ever every everything few first for from further get gets give given go goes going got
    had has have having he her here hers herself him himself his how however i if in instead into is it its itself just keep kept kind know
    known last later least less let like likely made make makes making many may me might more most much must my myself near need needs never
    next no nobody none nor not nothing now of off often on once one only onto or other others otherwise our ours ourselves out over own part
    per perhaps put rather really same say says second see seem seemed seems several shall she should show shown shows since so some someone
    something sometimes somewhat soon still such take taken takes tell than that the their theirs them themselves then there therefore these
    they thing things this those though three through thus till to together too took toward towards two under until up upon us use used uses
    using very via was way we well went were what whatever when where whether which while who whole whom whose why will with within without
    would yes yet you your yours yourself don't doesn't isn't it's that's can't won't didn't wasn't aren't i'm you're we're they're there's""".split()
)
GERMAN = frozenset(
    """ab aber alle allem allen aller alles als also am an andere anderen anderer anderes auch auf aus außer bald bei beide beiden beim bereits
    bis bisher da dabei dadurch dafür dagegen daher damit danach daneben dann daran darauf daraus darin darüber darum darunter das dass davon
    davor dazu dein deine dem den denen denn dennoch der deren des deshalb dessen desto die dies diese diesem diesen dieser dieses doch dort
    du durch ein eine einem einen einer eines einfach einige einigen einiger einmal er erst es etwa etwas euch euer für gab ganz gar geben
    gegen gehen geht gemacht genau gerade gern gibt gleich habe haben hat hatte hatten hier hin hinter ich ihm ihn ihnen ihr ihre ihrem ihren
    ihrer im immer in indem ins ist ja je jede jedem jeden jeder jedes jedoch jene jetzt kam kann kaum kein keine keinem keinen keiner kommen
    kommt können könnte lassen machen macht man manche mehr mein meine meist mir mit muss müssen nach nachdem nachher nein neben nicht nichts
    noch nun nur ob oben oder oft ohne schon sehr sein seine seinem seinen seiner seit selbst sich sie sind so sobald solche solchen sollte
    sollen sondern sonst soweit sowie statt trotz über um und uns unser unsere unter viel viele vielen vielleicht vom von vor war waren warum
    was weder weil weiter welche welchem welchen welcher welches wenig weniger wenn wer werde werden wie wieder will wir wird wo wobei wodurch
    wohl wollen wurde wurden während würde zu zum zur zwar zwei zwischen""".split()
)
_GERMAN_ENDINGS = ("ern", "en", "er", "es", "em", "e", "n", "s")


@dataclass(frozen=True)
class Language:
    """What is known of a language: the words that say nothing, and how to bring a word to its stem."""

    name: str
    empty: frozenset

    def stem(self, word: str) -> str:
        """A form that the plural and other endings of `word` share; crude, only for comparing."""
        word = word.lower().replace("’", "'")
        return _german(word) if self.name == "german" else _english(word)


def language_of(text: str) -> Language:
    """German where its empty words outnumber the English ones, else English."""
    words = [word.lower() for word in _WORD.findall(text)]
    german = sum(word in GERMAN and word not in ENGLISH for word in words)
    english = sum(word in ENGLISH and word not in GERMAN for word in words)
    # The empty words of the other language stay empty: texts quote and mix, and each list has only words that hardly mean anything.
    return Language("german", GERMAN) if german > english else Language("english", ENGLISH)


def runs(text: str, language: Language) -> Iterator[List[str]]:
    """Stretches of neighbouring words that say something, in their order: what a phrase can be made of."""
    for stretch in _BREAK.split(text):
        run: List[str] = []
        for word in _WORD.findall(stretch):
            if _says_something(word, language):
                run.append(word)
            elif run:
                yield run
                run = []
        if run:
            yield run


def _says_something(word: str, language: Language) -> bool:
    return word.lower().replace("’", "'") not in language.empty and any(letter.isalpha() for letter in word) and (len(word) > 1 or word.isupper())


def _english(word: str) -> str:
    if word.endswith(("'s", "s'")):
        word = word[:-2]
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("sses", "shes", "ches", "xes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _german(word: str) -> str:
    for ending in _GERMAN_ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word
