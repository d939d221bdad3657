//! A text without white space, and what it says once its escapes are undone;
//! every byte knows where it stands in the text that was given.

use super::{finder::Finder, forms::fold};

/// How often escapes are undone: JSON inside of JSON inside of a form.
const DEEPEST: u32 = 3;

/// A form of fewer bytes counts only where no white space breaks it.
const BREAKABLE: usize = 8;

/// Bytes with their places in the source.
pub(super) struct Layer {
    bytes: Vec<u8>,
    from: Vec<u32>,
    to: Vec<u32>,
}

/// One way of escaping.
#[derive(Clone, Copy)]
enum Escape {
    /// `%2B`
    Percent,
    /// `\"`, `\u002b`, `\x2b`
    Backslash,
    /// `&#43;`, `&#x2b;`, `&amp;`
    Reference,
}

impl Escape {
    const ALL: [Self; 3] = [Self::Percent, Self::Backslash, Self::Reference];

    const fn mark(self) -> u8 {
        match self {
            Self::Percent => b'%',
            Self::Backslash => b'\\',
            Self::Reference => b'&',
        }
    }

    /// What stands at the begin of `text`, and how many bytes spell it.
    fn read(self, text: &[u8]) -> Option<(Character, usize)> {
        match self {
            Self::Percent => Some((Character::Byte(byte(text.get(1..3)?)?), 3)),
            Self::Backslash => backslash(text),
            Self::Reference => reference(text),
        }
    }
}

enum Character {
    Byte(u8),
    Char(char),
}

impl Layer {
    /// The text itself, which is far shorter than 4 GiB.
    pub(super) fn of(text: &[u8]) -> Self {
        let mut layer = Self::sized(text.len());
        for (byte, at) in text.iter().zip(0_u32..) {
            layer.push(*byte, at, at + 1);
        }
        layer
    }

    fn sized(size: usize) -> Self {
        let (bytes, from) = (Vec::with_capacity(size), Vec::with_capacity(size));
        Self { bytes, from, to: Vec::with_capacity(size) }
    }

    fn push(&mut self, byte: u8, from: u32, to: u32) {
        if !byte.is_ascii_whitespace() {
            self.bytes.push(byte);
            self.from.push(from);
            self.to.push(to);
        }
    }

    /// Calls `hit` with start and end, in the source, of all that is found here
    /// or under the escapes.
    pub(super) fn search(self, finder: &Finder, hit: &mut dyn FnMut(usize, usize)) {
        self.deeper(finder, DEEPEST, hit);
    }

    fn deeper(mut self, finder: &Finder, left: u32, hit: &mut dyn FnMut(usize, usize)) {
        let under: Vec<Self> = match left {
            0 => Vec::new(),
            _ => Escape::ALL.into_iter().filter_map(|escape| self.without(escape)).collect(),
        };
        self.bytes.iter_mut().for_each(|byte| *byte = fold(*byte));
        finder.find(&self.bytes, &mut |start, end| {
            let unbroken = (start + 1..end).all(|at| self.from[at] == self.to[at - 1]);
            if unbroken || end - start >= BREAKABLE {
                hit(self.from[start] as usize, self.to[end - 1] as usize);
            }
        });
        drop(self);
        for layer in under {
            layer.deeper(finder, left - 1, hit);
        }
    }

    /// The text with `escape` undone; `None` where it stands nowhere.
    fn without(&self, escape: Escape) -> Option<Self> {
        if !self.bytes.contains(&escape.mark()) {
            return None;
        }
        let mut undone = Self::sized(self.bytes.len());
        let (mut at, mut some) = (0, false);
        while at < self.bytes.len() {
            let byte = self.bytes[at];
            let here = byte == escape.mark();
            let read = here.then(|| escape.read(&self.bytes[at..])).flatten();
            let (character, length) = read.unwrap_or((Character::Byte(byte), 1));
            some |= length > 1;
            let (from, to) = (self.from[at], self.to[at + length - 1]);
            match character {
                Character::Byte(byte) => undone.push(byte, from, to),
                Character::Char(c) => {
                    let mut utf8 = [0; 4];
                    c.encode_utf8(&mut utf8).bytes().for_each(|b| undone.push(b, from, to));
                }
            }
            at += length;
        }
        some.then_some(undone)
    }
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    let digits = std::str::from_utf8(digits).ok().filter(|text| !text.starts_with('+'))?;
    u32::from_str_radix(digits, radix).ok()
}

fn byte(digits: &[u8]) -> Option<u8> {
    u8::try_from(number(digits, 16)?).ok()
}

fn backslash(text: &[u8]) -> Option<(Character, usize)> {
    let meant = match *text.get(1)? {
        b'u' => return unicode(text),
        b'x' => return Some((Character::Byte(byte(text.get(2..4)?)?), 4)),
        b'n' | b'r' | b't' => b'\n',
        other if other.is_ascii_alphanumeric() => return None,
        other => other,
    };
    Some((Character::Byte(meant), 2))
}

/// `\u00e9`, or the two halves of a character beyond.
fn unicode(text: &[u8]) -> Option<(Character, usize)> {
    let high = number(text.get(2..6)?, 16)?;
    if let Some(c) = char::from_u32(high) {
        return Some((Character::Char(c), 6));
    }
    let low = number(text.get(6..12)?.strip_prefix(br"\u")?, 16)?;
    let halves = [u16::try_from(high).ok()?, u16::try_from(low).ok()?];
    let both = char::decode_utf16(halves).next()?.ok()?;
    Some((Character::Char(both), 12))
}

fn reference(text: &[u8]) -> Option<(Character, usize)> {
    const NAMED: [(&[u8], char); 6] = [
        (b"amp", '&'),
        (b"lt", '<'),
        (b"gt", '>'),
        (b"quot", '"'),
        (b"apos", '\''),
        (b"nbsp", ' '),
    ];
    // The longest is `&#x10FFFF;`, and some write zeros before.
    let end = text.iter().take(16).position(|byte| *byte == b';')?;
    let name = &text[1..end];
    let c = match name {
        [b'#', b'x' | b'X', digits @ ..] => char::from_u32(number(digits, 16)?)?,
        [b'#', digits @ ..] => char::from_u32(number(digits, 10)?)?,
        _ => NAMED.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?.1,
    };
    Some((Character::Char(c), end + 1))
}
