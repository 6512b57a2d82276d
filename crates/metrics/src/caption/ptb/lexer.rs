//! Splits captions by the rules of `grammar.rs`.

use std::sync::OnceLock;

use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::util::pool::Pool;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input, MatchKind};

use super::alphabet::class;
use super::grammar::{Action, rules};
use super::token::Match;

/// Most characters that a rule looks at. Rules such as that of e-mail addresses look for their end in all that follows, which
/// would take quadratic time.
const MAX_TOKEN: usize = 1 << 12;

/// The grammar as one automaton that is built where captions lead it.
pub(super) struct Lexer {
    automaton: DFA,
    actions: Vec<Action>,
    /// What the automaton has built so far, one per thread.
    caches: Pool<Cache, Box<dyn Fn() -> Cache + Send + Sync>>,
}

impl Lexer {
    /// The lexer of all callers.
    pub(super) fn shared() -> &'static Self {
        static LEXER: OnceLock<Lexer> = OnceLock::new();
        LEXER.get_or_init(Self::new)
    }

    fn new() -> Self {
        let rules = rules();
        let patterns: Vec<&str> = rules.iter().map(|rule| rule.pattern.as_str()).collect();
        let automaton = DFA::builder()
            // All matches, so that the last one found is the longest.
            .configure(DFA::config().match_kind(MatchKind::All))
            .syntax(syntax::Config::new().unicode(false).utf8(false))
            .thompson(regex_automata::nfa::thompson::Config::new().utf8(false))
            .build_many(&patterns);
        let automaton = match automaton {
            Ok(automaton) => automaton,
            Err(error) => unreachable!("the grammar is constant: {error:?}"),
        };
        let for_caches = automaton.clone();
        Self {
            automaton,
            actions: rules.iter().map(|rule| rule.action).collect(),
            caches: Pool::new(Box::new(move || for_caches.create_cache())),
        }
    }

    /// The tokens of a caption, with their case.
    pub(super) fn tokens(&self, caption: &str) -> Vec<String> {
        let characters: Vec<char> = caption.chars().collect();
        let mut classes: Vec<u8> = characters.iter().map(|c| class(*c)).collect();
        // The end of a line, which rules may look at.
        classes.push(b' ');
        let mut cache = self.caches.get();
        let mut tokens = Vec::new();
        let mut place = 0;
        while place < characters.len() {
            let Some((action, length)) =
                self.longest(&mut cache, &classes[place..classes.len().min(place + MAX_TOKEN)])
            else {
                // A space, or a character that the reference does not know.
                place += 1;
                continue;
            };
            let end = characters.len().min(place + length);
            let found =
                Match { characters: &characters[place..end], classes: &classes[place..place + length] };
            let (taken, token) = found.apply(action);
            tokens.extend(token);
            place += taken.max(1);
        }
        tokens
    }

    /// The rule with the longest match at the start, and its length.
    fn longest(&self, cache: &mut Cache, classes: &[u8]) -> Option<(Action, usize)> {
        let input = Input::new(classes).anchored(Anchored::Yes);
        let found = match self.automaton.try_search_fwd(cache, &input) {
            Ok(found) => found?,
            Err(error) => unreachable!("no byte ends this search: {error}"),
        };
        Some((self.actions[found.pattern().as_usize()], found.offset()))
    }
}
