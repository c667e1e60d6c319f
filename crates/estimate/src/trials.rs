//! What tests observe: a trial that textbooks have computed, and so have other programs.
//!
//! E. J. Freireich et al., "The Effect of 6-Mercaptopurine on the Duration of Steroid-induced Remissions in Acute Leukemia", Blood 21
//! (1963) 699-716: weeks until relapse of 21 patients with the drug and of 21 without. What lifelines computes of it was made by
//! `pip install lifelines==0.30.3` and the calls that stand beside the values.

use crate::survival::Timed;

const fn relapsed(after: f64) -> Timed {
    Timed { after, is_censored: false }
}

const fn left(after: f64) -> Timed {
    Timed { after, is_censored: true }
}

/// With the drug.
pub(crate) const SIX_MP: [Timed; 21] = [
    relapsed(6.0),
    relapsed(6.0),
    relapsed(6.0),
    left(6.0),
    relapsed(7.0),
    left(9.0),
    relapsed(10.0),
    left(10.0),
    left(11.0),
    relapsed(13.0),
    relapsed(16.0),
    left(17.0),
    left(19.0),
    left(20.0),
    relapsed(22.0),
    relapsed(23.0),
    left(25.0),
    left(32.0),
    left(32.0),
    left(34.0),
    left(35.0),
];

/// Without it.
pub(crate) const PLACEBO: [Timed; 21] = {
    const WEEKS: [f64; 21] = [
        1.0, 1.0, 2.0, 2.0, 3.0, 4.0, 4.0, 5.0, 5.0, 8.0, 8.0, 8.0, 8.0, 11.0, 11.0, 12.0, 12.0, 15.0, 17.0,
        22.0, 23.0,
    ];
    let mut patients = [relapsed(0.0); 21];
    let mut index = 0;
    while index < 21 {
        patients[index] = relapsed(WEEKS[index]);
        index += 1;
    }
    patients
};

/// Months until the breast of a patient with radiotherapy alone was seen to be retracted: not yet at the first, by the second where there is
/// one. D. M. Finkelstein and R. A. Wolfe, Biometrics 41 (1985) 933-945.
pub(crate) const COSMESIS: [(f64, Option<f64>); 46] = {
    const UNSEEN: u8 = 0;
    const MONTHS: [(u8, u8); 46] = [
        (45, UNSEEN),
        (6, 10),
        (0, 7),
        (46, UNSEEN),
        (46, UNSEEN),
        (7, 16),
        (17, UNSEEN),
        (7, 14),
        (37, 44),
        (0, 8),
        (4, 11),
        (15, UNSEEN),
        (11, 15),
        (22, UNSEEN),
        (46, UNSEEN),
        (46, UNSEEN),
        (25, 37),
        (46, UNSEEN),
        (26, 40),
        (46, UNSEEN),
        (27, 34),
        (36, 44),
        (46, UNSEEN),
        (36, 48),
        (37, UNSEEN),
        (40, UNSEEN),
        (17, 25),
        (46, UNSEEN),
        (11, 18),
        (38, UNSEEN),
        (5, 12),
        (37, UNSEEN),
        (0, 5),
        (18, UNSEEN),
        (24, UNSEEN),
        (36, UNSEEN),
        (5, 11),
        (19, 35),
        (17, 25),
        (24, UNSEEN),
        (32, UNSEEN),
        (33, UNSEEN),
        (19, 26),
        (37, UNSEEN),
        (34, UNSEEN),
        (36, UNSEEN),
    ];
    let mut patients = [(0.0, None); 46];
    let mut index = 0;
    while index < 46 {
        let (after, by) = MONTHS[index];
        patients[index] = (after as f64, if by == UNSEEN { None } else { Some(by as f64) });
        index += 1;
    }
    patients
};
