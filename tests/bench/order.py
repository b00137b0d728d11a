# The functions that ran, the most used first: `llvm-profdata show --all-functions --counts PROFILE | python3 order.py`; of several such
# outputs one behind the other those of the first, then what the next ones add. With a file of such a list: whether the binary whose symbols
# come in (`nm`) has them in front of what never ran; ends with 1 where it does not.
import statistics, sys


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
    ordered = [sorted(counts, key=lambda name: (-counts[name], name)) for counts in all]
    return dict.fromkeys(name for names in ordered for name in names)


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
