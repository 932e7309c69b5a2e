//! Which values share a scale: those of which each still shows its own movement on it.

/// How many times larger than the movement of one value a shared scale may be.
const ROOM: f64 = 10.0;

/// The least and the greatest.
type Range = (f64, f64);

/// Which scale each value is drawn on, from 0 on, by the least and the greatest of each; what never had a value is drawn
/// on none and counted to the first.
pub fn scales(ranges: &[Option<(f64, f64)>]) -> Vec<u32> {
    // Of each scale, what its values are drawn in and the range of each.
    let mut scales: Vec<(Range, Vec<Range>)> = vec![];
    let mut out = vec![];
    for range in ranges {
        let Some(range) = *range else {
            out.push(0);
            continue;
        };
        let fits = |(whole, members): &(Range, Vec<Range>)| {
            let together = joined(*whole, range);
            members.iter().chain([&range]).all(|member| moves_on(*member, together))
        };
        let at = match scales.iter().position(fits) {
            Some(at) => at,
            None => {
                scales.push((range, vec![]));
                scales.len() - 1
            }
        };
        if let Some((whole, members)) = scales.get_mut(at) {
            *whole = joined(*whole, range);
            members.push(range);
        }
        out.push(at as u32);
    }
    out
}

fn joined(one: Range, other: Range) -> Range {
    (one.0.min(other.0), one.1.max(other.1))
}

/// Whether a value's movement can be seen on a scale. What does not move, such as a set point, only must not press the
/// others flat: it may stand anywhere.
fn moves_on((least, greatest): Range, whole: Range) -> bool {
    greatest == least || whole.1 - whole.0 <= ROOM * (greatest - least)
}
