"""Every fault, by the thousand: `make stress`. The default tests try a few of each.

    make stress                              every row, in full
    make stress ONLY="kills or downloads"    these rows
    make stress ONLY=kills COUNT=50          fifty of each

The rows that are printed are those of the table in docs/security.md.
"""

import pytest

from tests.stress import (
    command_faults,
    disk_faults,
    download_faults,
    file_faults,
    mutations,
    process_faults,
    web_attacks,
)

MODULES = (
    file_faults,
    web_attacks,
    process_faults,
    disk_faults,
    download_faults,
    command_faults,
    mutations,
)
STRESS = {stress.__name__: stress for module in MODULES for stress in module.STRESS}


@pytest.mark.stress
@pytest.mark.parametrize("name", STRESS)
def test_every_fault_ends_as_promised(name, tmp_path, stress_count, capsys):
    wrong = []
    for row in STRESS[name](tmp_path, stress_count):
        with capsys.disabled():
            print(row, flush=True)
        wrong += row.wrong
    assert not wrong
