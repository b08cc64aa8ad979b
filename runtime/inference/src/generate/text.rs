//! Tokens to text while they come, and prompts to tokens: what a package's tokenizer and chat template do in the host.

use tokenizers::Tokenizer;

use super::chat::ChatTemplate;
use super::request::Prompt;
use crate::error::{Error, Result};
use crate::limits;
use crate::package::{GenerateSettings, Package};

/// What stands for bytes that are no character, or not yet.
const BROKEN: char = char::REPLACEMENT_CHARACTER;
/// A character has at most four bytes, so that at most three wait for the next.
const PENDING_MAX: usize = 3;

/// A model's tokenizer and chat template.
pub(crate) struct Speech {
    tokenizer: Tokenizer,
    template: Option<ChatTemplate>,
    bos: Option<u32>,
    vocab: u32,
}

impl Speech {
    /// From the verified files of a package.
    ///
    /// # Errors
    /// `backend` with the file that cannot be used.
    pub(crate) fn open(package: &Package, settings: &GenerateSettings) -> Result<Self> {
        let unread = |cause: crate::package::PackageError| Error::Backend(cause.to_string());
        let json = package.file(&settings.tokenizer).map_err(unread)?;
        let source = settings.chat_template.as_ref().map(|path| package.file(path)).transpose().map_err(unread)?;
        Self::new(settings, &json, source.as_deref())
    }

    pub(crate) fn new(settings: &GenerateSettings, json: &[u8], template: Option<&[u8]>) -> Result<Self> {
        let broken = |cause: tokenizers::Error| Error::Backend(format!("`{}` cannot be used: {cause}", settings.tokenizer));
        let mut tokenizer = Tokenizer::from_bytes(json).map_err(broken)?;
        tokenizer.with_padding(None).with_truncation(None).map_err(broken)?;
        let name = |token: Option<u32>| token.and_then(|token| tokenizer.id_to_token(token)).unwrap_or_default();
        let (bos, eos) = (name(settings.bos), name(settings.eos.first().copied()));
        let template = template.map(|source| {
            let source = std::str::from_utf8(source).map_err(|_| Error::Backend("the chat template is not UTF-8".to_owned()))?;
            ChatTemplate::new(source, bos, eos)
        });
        Ok(Self { template: template.transpose()?, tokenizer, bos: settings.bos, vocab: settings.vocab })
    }

    /// The tokens of a prompt, at least one.
    ///
    /// # Errors
    /// `too-large` over 1 MiB; `bad-input` for nothing, a token that the model does not know, messages that the template
    /// refuses, or messages where there is no template.
    pub(crate) fn encode(&self, prompt: &Prompt) -> Result<Vec<u32>> {
        let tokens = match prompt {
            Prompt::Tokens(tokens) => tokens.clone(),
            Prompt::Text(text) => self.text_tokens(text)?,
            Prompt::Chat(messages) => {
                let bytes: usize = messages.iter().map(|message| message.content.len() + message.role.len()).sum();
                if messages.len() > limits::MESSAGES_MAX {
                    return Err(Error::TooLarge(limits::MESSAGES_MAX as u64));
                }
                if bytes > limits::PROMPT_BYTES_MAX {
                    return Err(Error::TooLarge(limits::PROMPT_BYTES_MAX as u64));
                }
                let template = self
                    .template
                    .as_ref()
                    .ok_or_else(|| Error::BadInput("this model has no chat template; send the prompt as text".to_owned()))?;
                // the template sets the special tokens itself
                self.tokens_of(&template.render(messages)?, false)?
            }
        };
        if tokens.is_empty() {
            return Err(Error::BadInput("the prompt has no tokens; send at least one".to_owned()));
        }
        match tokens.iter().find(|token| **token >= self.vocab) {
            Some(token) => {
                Err(Error::BadInput(format!("the prompt holds token `{token}`; the model knows those below {}", self.vocab)))
            }
            None => Ok(tokens),
        }
    }

    /// Tokens that a text has as a prompt.
    pub(crate) fn count(&self, text: &str) -> Result<u32> {
        Ok(u32::try_from(self.text_tokens(text)?.len()).unwrap_or(u32::MAX))
    }

    fn text_tokens(&self, text: &str) -> Result<Vec<u32>> {
        let mut tokens = self.tokens_of(text, true)?;
        if let Some(bos) = self.bos
            && tokens.first() != Some(&bos)
        {
            tokens.insert(0, bos);
        }
        Ok(tokens)
    }

    fn tokens_of(&self, text: &str, special: bool) -> Result<Vec<u32>> {
        if text.len() > limits::PROMPT_BYTES_MAX {
            return Err(Error::TooLarge(limits::PROMPT_BYTES_MAX as u64));
        }
        let encoding = self.tokenizer.encode_fast(text, special);
        let encoding = encoding.map_err(|cause| Error::BadInput(format!("the prompt cannot be tokenised: {cause}")))?;
        Ok(encoding.get_ids().to_vec())
    }

    fn decode(&self, tokens: &[u32]) -> Result<String> {
        let failed = |cause: tokenizers::Error| Error::Backend(format!("the tokenizer cannot read its own tokens: {cause}"));
        self.tokenizer.decode(tokens, true).map_err(failed)
    }
}

/// The text of one answer while its tokens come. Only whole characters come out; bytes that never become a character come
/// out as `�`, once that is certain.
///
/// Tokenizers set blanks by what stands before, so that a window of tokens is decoded each time and only what is new is
/// taken. Where a broken run of byte tokens would make a tokenizer take back an earlier character, that character stays.
#[derive(Clone, Debug)]
pub(crate) struct StreamText {
    window: Vec<u32>,
    /// Bytes of the window's text that were handed out.
    out: usize,
}

impl StreamText {
    /// Begins after a prompt.
    pub(crate) fn new(speech: &Speech, prompt: &[u32]) -> Result<Self> {
        let mut stream = Self { window: prompt.to_vec(), out: 0 };
        stream.move_on(speech)?;
        Ok(stream)
    }

    /// The text that one more token brings; often one word, sometimes nothing.
    pub(crate) fn push(&mut self, speech: &Speech, token: u32) -> Result<String> {
        self.window.push(token);
        let text = speech.decode(&self.window)?;
        let certain = certain(&text);
        let new = text.get(self.out..certain).unwrap_or_default().to_owned();
        self.out = self.out.max(certain);
        if certain == text.len() && self.window.len() > 2 * limits::TEXT_CONTEXT_TOKENS
            || self.window.len() > limits::TEXT_WINDOW_TOKENS_MAX
        {
            self.move_on(speech)?;
        }
        Ok(new)
    }

    /// What is left when no more tokens come.
    pub(crate) fn finish(&mut self, speech: &Speech) -> Result<String> {
        let text = speech.decode(&self.window)?;
        let rest = text.get(self.out..).unwrap_or_default().to_owned();
        self.out = self.out.max(text.len());
        Ok(rest)
    }

    /// Keeps the last tokens as context.
    fn move_on(&mut self, speech: &Speech) -> Result<()> {
        self.window.drain(..self.window.len().saturating_sub(limits::TEXT_CONTEXT_TOKENS));
        self.out = certain(&speech.decode(&self.window)?);
        Ok(())
    }
}

/// Bytes of the text before what may be a character that is not whole yet.
fn certain(text: &str) -> usize {
    let pending = text.chars().rev().take(PENDING_MAX).take_while(|c| *c == BROKEN).count();
    text.len() - pending * BROKEN.len_utf8()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn settings() -> GenerateSettings {
        let text = "tokenizer='t'\ncontext=64\nlogits='l'\npast_key='k%d'\npast_value='v%d'\npresent_key='K%d'\npresent_value='V%d'\nlayers=1\nkv_heads=1\nhead_size=1\nvocab=400\neos=[2]";
        toml::from_str(text).unwrap()
    }

    /// Each byte is a token, two words are more; decoded as byte-level BPE does.
    pub(in crate::generate) fn byte_level() -> Speech {
        let printable = |byte: u32| (33..127).contains(&byte) || (161..173).contains(&byte) || byte >= 174;
        let mut others = 256_u32..;
        let mut vocab: Vec<String> = Vec::new();
        for byte in 0..256_u32 {
            let code = if printable(byte) { byte } else { others.next().unwrap() };
            let quoted = match char::from_u32(code).unwrap() {
                '"' => "\\\"".to_owned(),
                '\\' => "\\\\".to_owned(),
                c => c.to_string(),
            };
            vocab.push(format!("\"{quoted}\": {byte}"));
        }
        let json = format!(
            r#"{{"version":"1.0","truncation":null,"padding":null,"added_tokens":[{{"id":256,"content":"<s>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}}],"normalizer":null,"pre_tokenizer":{{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false}},"post_processor":null,"decoder":{{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false}},"model":{{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":null,"end_of_word_suffix":null,"fuse_unk":false,"byte_fallback":false,"vocab":{{{}}},"merges":[]}}}}"#,
            vocab.join(",")
        );
        Speech::new(&settings(), json.as_bytes(), None).unwrap()
    }

    /// In the manner of sentencepiece: `▁` is a blank, unknown characters fall back to bytes.
    fn sentencepiece() -> Speech {
        let mut vocab = vec!["\"<unk>\":0".to_owned(), "\"<s>\":1".to_owned(), "\"</s>\":2".to_owned()];
        vocab.extend((0..256).map(|byte| format!("\"<0x{byte:02X}>\":{}", byte + 3)));
        vocab.extend(["▁Hello", "▁world", "s", "▁"].iter().enumerate().map(|(at, word)| format!("\"{word}\":{}", 259 + at)));
        let json = format!(
            r#"{{"version":"1.0","truncation":null,"padding":null,"added_tokens":[{{"id":1,"content":"<s>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}}],"normalizer":null,"pre_tokenizer":null,"post_processor":null,"decoder":{{"type":"Sequence","decoders":[{{"type":"Replace","pattern":{{"String":"▁"}},"content":" "}},{{"type":"ByteFallback"}},{{"type":"Fuse"}},{{"type":"Strip","content":" ","start":1,"stop":0}}]}},"model":{{"type":"BPE","dropout":null,"unk_token":"<unk>","continuing_subword_prefix":null,"end_of_word_suffix":null,"fuse_unk":true,"byte_fallback":true,"vocab":{{{}}},"merges":[]}}}}"#,
            vocab.join(",")
        );
        Speech::new(&settings(), json.as_bytes(), None).unwrap()
    }

    fn stream(speech: &Speech, prompt: &[u32], tokens: &[u32]) -> (Vec<String>, String) {
        let mut stream = StreamText::new(speech, prompt).unwrap();
        let pieces = tokens.iter().map(|token| stream.push(speech, *token).unwrap()).collect();
        (pieces, stream.finish(speech).unwrap())
    }

    fn bytes(text: &[u8]) -> Vec<u32> {
        text.iter().map(|byte| u32::from(*byte)).collect()
    }

    #[test]
    fn characters_come_out_whole() {
        let text = "a€😀é, long enough that the window moves on: ß – ok";
        let (pieces, rest) = stream(&byte_level(), &[256], &bytes(text.as_bytes()));
        assert_eq!((pieces.concat().as_str(), rest.as_str()), (text, ""));
        assert!(pieces.iter().all(|piece| !piece.contains(BROKEN)), "{pieces:?}");
        assert_eq!(&pieces[..8], ["a", "", "", "€", "", "", "", "😀"]);
    }

    #[test]
    fn broken_bytes_come_out_once_that_is_certain() {
        let speech = byte_level();
        let (pieces, rest) = stream(&speech, &[], &bytes(b"a\xE2\x82"));
        assert_eq!((pieces.concat().as_str(), rest.as_str()), ("a", "\u{fffd}"));
        let wild: Vec<u8> = (0..400_u32).map(|n| (n * n * 31 + n * 7 + 128) as u8 | if n % 3 == 0 { 0 } else { 128 }).collect();
        let (pieces, rest) = stream(&speech, &[], &bytes(&wild));
        assert_eq!(pieces.concat() + &rest, String::from_utf8_lossy(&wild));
    }

    #[test]
    fn blanks_follow_what_stands_before() {
        let speech = sentencepiece();
        assert_eq!(stream(&speech, &[1], &[259, 260, 261]).0, ["Hello", " world", "s"]);
        assert_eq!(stream(&speech, &[1, 259], &[260, 261]).0, [" world", "s"]);
        let euro: Vec<u32> = "€".bytes().map(|byte| u32::from(byte) + 3).collect();
        assert_eq!(stream(&speech, &[1, 259], &[&euro[..], &[260]].concat()).0, ["", "", "€", " world"]);
    }

    #[test]
    fn prompts_are_checked() {
        let speech = byte_level();
        assert_eq!(speech.encode(&Prompt::Text("aé".to_owned())).unwrap(), [97, 0xC3, 0xA9]);
        for wrong in [Prompt::Tokens(vec![]), Prompt::Tokens(vec![400]), Prompt::Text(String::new()), Prompt::Chat(vec![])] {
            assert!(matches!(speech.encode(&wrong), Err(Error::BadInput(_))), "{wrong:?}");
        }
        assert!(matches!(speech.encode(&Prompt::Text("a".repeat(2 << 20))), Err(Error::TooLarge(_))));
    }
}
