"""How the page writes numbers: one function for each kind, used everywhere."""


def percent(share: float) -> str:
    """Write a share with one decimal and a space that never breaks; no rounding up to certainty."""
    if 0.999 < share < 1:
        return "over 99.9\u00a0%"
    return f"{100 * share:.1f}\u00a0%"


def errors_of_10_000(share_right: float) -> str:
    """Write how many of 10,000 digits go wrong: it tells good models apart, percent does not."""
    return f"{10_000 * (1 - share_right):,.0f} of 10,000 wrong"
