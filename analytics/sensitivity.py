"""How strong would something unrecorded have to be to explain an effect away?"""

from __future__ import annotations

import math


def e_value(ratio: float | None) -> float | None:
    """How strongly must an unrecorded cause move both treatment and outcome to explain this?

    E = R + sqrt(R (R - 1)) for a risk ratio R of at least 1, and the same of 1 / R below 1.
    Something nobody recorded would have to make both the attempt and the resolution at least
    E times as likely, beyond all that is adjusted for, to bring the effect to nothing.

    In: a risk ratio.  Out: 1 or more; 1 means that nothing is needed.  Null: no ratio, or one
    that is not above zero.
    Misleads: it says how much, not whether such a cause exists; a large one is easy in a
    rare outcome.
    Reference: VanderWeele and Ding 2017, whose example of 3.9 (1.8 to 8.7) gives 7.26 and 3.0.

    >>> round(e_value(3.9), 2), round(e_value(1.8), 2), e_value(1.0)
    (7.26, 3.0, 1.0)
    """
    if ratio is None or not math.isfinite(ratio) or ratio <= 0:
        return None
    above = max(ratio, 1 / ratio)
    return above + math.sqrt(above * (above - 1))


def e_value_of_limit(low: float | None, high: float | None) -> float | None:
    """The E-value of the end of a risk ratio's interval that is nearer to 1; 1 if it holds 1.

    >>> round(e_value_of_limit(1.8, 8.7), 2), e_value_of_limit(0.9, 1.4)
    (3.0, 1.0)
    """
    if low is None or high is None:
        return None
    if low <= 1 <= high:
        return 1.0
    return e_value(low if low > 1 else high)
