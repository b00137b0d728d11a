# The functions that ran: `llvm-profdata show --all-functions --counts PROFILE | python3 order.py`. Of several such outputs one behind the
# other: first what ran in most of them, those that ran in the same ones beside each other, the most used first. With a file of such a list: whether the binary whose symbols
# come in (`nm`) has them in front of what never ran; ends with 1 where it does not.
import collections, statistics, sys


def ran(lines):
    """Names of functions by their largest count, none that is 0, for each output."""
    all, name = [], None
    for line in lines:
        if line.startswith('Counters:'):
            all.append({})
        elif line.startswith('  ') and not line.startswith('    ') and line.rstrip().endswith(':'):
            # Those of one file alone have that in front.
            name = line.strip()[:-1].rsplit(';', 1)[-1]
        elif line.startswith('    Block counts: ['):
            numbers = line[line.index('[') + 1:line.rindex(']')].split(',')
            most = max((int(count) for count in numbers if count.strip()), default=0)
            if most:
                all[-1][name] = max(most, all[-1].get(name, 0))
    total = collections.Counter()
    for counts in all:
        total.update(counts)
    where = {name: tuple(name in counts for counts in all) for name in total}
    return sorted(total, key=lambda name: (-sum(where[name]), where[name], -total[name], name))


if len(sys.argv) < 2:
    print(*ran(sys.stdin), sep='\n')
else:
    listed = set(open(sys.argv[1]).read().split())
    first, rest = [], []
    for line in sys.stdin:
        address, kind, name = line.split(maxsplit=2)
        if kind in 'tT':
            (first if name.strip() in listed else rest).append(int(address, 16))
    if len(first) < 1000 or statistics.median(first) > statistics.median(rest):
        sys.exit(f'{len(first)} functions that ran are not in front of the others: what was counted was not understood')
