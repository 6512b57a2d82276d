//! Words that the tokenizer knows: abbreviations, which keep their full stop, and words after which one ends a sentence.

/// Abbreviations in any case.
pub(super) const ABBREVIATIONS: &str = "\
    adj adm adv al ala alex apr ariz assn assoc asst atty aug ave bhd bldg blvd brig bros calif capt cf cie cmdr co col colo \
    comdr conn corp cos cpl ct dak dec dept det dr drs elec ens esq est etc ext feb fla fri ft ga gen gov govs hon inc ind insp \
    intl invt jan jos jr jul jun kan kans ky la lieut lt ltd maj mar md mich minn mlle mme mo mon mont mr mrs ms msgr mt natl \
    neb nev nov oct okla pa penn pfc ph plc pres prof profs pvt rd rep reps rev rt sen sens sep sept seq sfc sgt spc sq sr st \
    ste supt sys tel tenn thu thurs treas tue tues univ va vs vt wed wis wisc wm wyo";

/// Abbreviations that are other words if they begin in lower case.
pub(super) const CAPITALIZED_ABBREVIATIONS: &str = "Ark Az Del Ill Mass Miss Ore Tex Wash";

/// Abbreviations that have no other capital than the first letter.
pub(super) const UNCAPITALIZED_ABBREVIATIONS: &str = "[Mm]fg [Mm]tg [Pp]pte [Pp]pty [Pp]tes? [Pp]tys?";

/// Abbreviations only before a number.
pub(super) const NUMBERED_ABBREVIATIONS: &str = "art ca fig figs no nos op pp prop";

/// Words that begin a sentence, so that the full stop before them is not that of an initial.
pub(super) const SENTENCE_STARTERS: &str = "\
    A About According Additionally After An As At But Earlier He Her Here However If In It Last Many More Now Once One Other \
    Our She Since So Some Such That The Their Then There These They This We What When While Yet You";

/// Names of files are one token if they end in one of these.
pub(super) const FILE_EXTENSIONS: &str = "\
    bat bmp c cgi class cpp dll doc docx exe gif gz h htm html jar java jpeg jpg mov mp3 pdf php pl png ppt ps py sql tar txt \
    wav x xml zip";
