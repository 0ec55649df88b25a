"""How many opportunities a rep must hold so that enough of them are won: the reason behind a floor a head."""

from math import inf, nan

from scipy.special import betainc

MOST = 2**53
"""More opportunities than a float can count one by one: as good as none would do."""

_SLACK = 1e-12
"""A service level that a chance meets exactly must not be missed by its last digit: 1 − 0.9² is 0.19."""


def chance(n: float, wins: float, win_rate: float) -> float:
    """P(Binomial(n, win_rate) ≥ wins), 0…1: the chance that n opportunities yield `wins` or more.

    5 opportunities at 25 % yield a win with a chance of 0.763: every fourth rep who holds five wins nothing.
    """
    if wins <= 0:
        return 1.0
    if n < wins:
        return 0.0
    return float(betainc(wins, n - wins + 1, win_rate))


def safety_stock(win_rate: float, wins: float, service_level: float) -> float:
    """Smallest number of opportunities n with chance(n, wins, win_rate) ≥ service_level.

    win_rate, service_level  0…1; wins  whole number, 0 and more
    NaN where no number is enough: a win rate of 0, or a service level of 1 with a win rate below 1.
    Raises ValueError for arguments outside these bounds.
    """
    if not (0 <= win_rate <= 1 and 0 <= service_level <= 1 and 0 <= wins < inf and wins == int(wins)):
        raise ValueError(f"no such stock: {wins} wins at {win_rate} with service level {service_level}")
    if wins == 0 or service_level == 0:
        return 0.0
    if win_rate == 1:
        return float(wins)
    if win_rate == 0 or service_level == 1:
        return nan
    enough = service_level - _SLACK
    low, high = wins - 1, wins
    while chance(high, wins, win_rate) < enough:
        low, high = high, high * 2
        if high > MOST:
            return nan
    while high - low > 1:
        middle = (low + high) // 2
        if chance(middle, wins, win_rate) < enough:
            low = middle
        else:
            high = middle
    return float(high)
