//! Chat templates: the Jinja that a package brings makes one prompt of messages, as Hugging Face's `apply_chat_template` does.
//!
//! A template is foreign input: it runs without files, includes and clock, on a bounded amount of fuel, which pays for
//! the memory that it takes too. It gets `messages`, `bos_token`, `eos_token`, `add_generation_prompt` = true, and
//! `raise_exception(text)`; the methods of Python's strings, lists and maps are there.
//!
//! Source: <https://huggingface.co/docs/transformers/chat_templating>

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value;
use minijinja::{Environment, ErrorKind, State, context};

use super::request::Message;
use crate::error::{Error, Result};
use crate::limits;

const NAME: &str = "chat_template";

/// A compiled template.
pub(crate) struct ChatTemplate {
    environment: Environment<'static>,
    bos: String,
    eos: String,
}

impl ChatTemplate {
    /// Compiles the template; `bos` and `eos` are the texts of these tokens, empty where the model has none.
    ///
    /// # Errors
    /// `backend` with the line that is wrong.
    pub(crate) fn new(source: &str, bos: String, eos: String) -> Result<Self> {
        let broken = |cause: minijinja::Error| Error::Backend(format!("the chat template cannot be read: {}", told(&cause)));
        let mut environment = Environment::new();
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().map_err(broken)?;
        environment.set_syntax(syntax);
        environment.set_fuel(Some(limits::TEMPLATE_FUEL));
        environment.set_recursion_limit(limits::TEMPLATE_DEPTH_MAX);
        environment.set_unknown_method_callback(python_method);
        environment.add_function("raise_exception", |text: String| -> std::result::Result<String, minijinja::Error> {
            Err(minijinja::Error::new(ErrorKind::InvalidOperation, text))
        });
        environment.add_template_owned(NAME, source.to_owned()).map_err(broken)?;
        Ok(Self { environment, bos, eos })
    }

    /// The prompt of these messages.
    ///
    /// # Errors
    /// `bad-input` with the template's own words.
    pub(crate) fn render(&self, messages: &[Message]) -> Result<String> {
        let failed = |cause: minijinja::Error| match cause.kind() {
            ErrorKind::OutOfFuel => Error::BadInput(
                "the model's chat template does not come to an end on these messages; send fewer or shorter ones".to_owned(),
            ),
            _ => Error::BadInput(format!("the model's chat template refuses these messages: {}", told(&cause))),
        };
        let template = self.environment.get_template(NAME).map_err(failed)?;
        let message =
            |message: &Message| Value::from_pairs([("role", message.role.as_str()), ("content", message.content.as_str())]);
        let values = context! {
            messages => messages.iter().map(message).collect::<Vec<Value>>(),
            bos_token => self.bos.as_str(),
            eos_token => self.eos.as_str(),
            add_generation_prompt => true,
        };
        template.render(values).map_err(failed)
    }
}

/// Python's methods. `replace` is the one whose result can be far longer than what it is given, and fuel does not see it.
fn python_method(
    state: &mut State<'_, '_>,
    value: &Value,
    method: &str,
    arguments: &[Value],
) -> std::result::Result<Value, minijinja::Error> {
    if let ("replace", Some(text), [old, new, ..]) = (method, value.as_str(), arguments) {
        let (old, new) = (old.as_str().unwrap_or_default(), new.as_str().unwrap_or_default());
        let length = text.len().saturating_add(text.matches(old).count().saturating_mul(new.len()));
        if length > limits::PROMPT_BYTES_MAX {
            return Err(minijinja::Error::new(ErrorKind::OutOfFuel, "a replacement is too long"));
        }
    }
    minijinja_contrib::pycompat::unknown_method_callback(state, value, method, arguments)
}

/// What is wrong, on one line, with the line of the template where it is known.
fn told(cause: &minijinja::Error) -> String {
    let text = cause.detail().map_or_else(|| cause.kind().to_string(), ToOwned::to_owned);
    let line = cause.line().map_or_else(String::new, |line| format!(" (line {line})"));
    format!("{}{line}", text.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(source: &str, messages: &[Message]) -> Result<String> {
        ChatTemplate::new(source, "<s>".to_owned(), "</s>".to_owned())?.render(messages)
    }

    fn talk() -> Vec<Message> {
        vec![Message::new("system", "  Be brief. "), Message::new("user", "Who pays?")]
    }

    #[test]
    fn templates_in_the_manner_of_known_models_render() {
        // line by line as chat templates are written: blocks on their own lines leave no trace
        let source = "{{ bos_token }}\n{% for message in messages %}\n    {% if message['role'] == 'user' %}\n{{ '[INST] ' + message['content'].strip() + ' [/INST]' }}\n    {% elif message.role != 'system' %}\n        {{ raise_exception('roles must alternate') }}\n    {% endif %}\n{% endfor %}\n{% if add_generation_prompt %}{{ 'go' }}{% endif %}\n";
        assert_eq!(render(source, &talk()).unwrap(), "<s>\n[INST] Who pays? [/INST]\ngo");
        let source = "{% for m in messages %}{{ loop.index0 }}{{ m.role.upper()[:1] }}:{{ m.content|trim }}{{ eos_token if loop.last else ';' }}{% endfor %}{{ messages[-1].content.split(' ')[0] }}{{ messages|length }}{{ {'a': 1}|tojson }}{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}";
        assert_eq!(render(source, &talk()).unwrap(), "0S:Be brief.;1U:Who pays?</s>Who2{\"a\": 1}2");
    }

    #[test]
    fn a_template_refuses_in_its_own_words() {
        let refused = render("{{ raise_exception('only users\nmay speak') }}", &talk());
        assert!(matches!(&refused, Err(Error::BadInput(text)) if text.contains("only users may speak (line 1)")), "{refused:?}");
        let broken = render("{% for x in messages %}", &talk());
        assert!(matches!(&broken, Err(Error::Backend(text)) if text.contains("cannot be read")), "{broken:?}");
        let missing = render("{{ messages[0].content.foo() }}", &talk());
        assert!(matches!(missing, Err(Error::BadInput(_))), "{missing:?}");
    }

    #[test]
    fn a_template_cannot_take_the_machine() {
        let loops =
            "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}{% endfor %}{% endfor %}{% endfor %}";
        let doubles =
            "{% set ns = namespace(s='x' * 1000) %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}{{ ns.s }}";
        let replaces = "{% set ns = namespace(s='x' * 1000) %}{% for i in range(9) %}{% set ns.s = ns.s.replace('x', ns.s) %}{% endfor %}{{ ns.s|length }}";
        let nests = "{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}";
        for source in [loops, doubles, replaces, nests] {
            assert!(matches!(render(source, &talk()), Err(Error::BadInput(_))), "{source}");
        }
        assert!(render("{% include '/etc/passwd' %}", &talk()).is_err());
    }
}
