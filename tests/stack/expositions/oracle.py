# Reads expositions with Prometheus' own Python client: python3 oracle.py FOLDER/prometheus_client… FOLDER
# Prints one JSON line a file: {"file", "samples": [[name, [[label, value]…], bits]…]} or {"file", "error"}; bits are the
# value's IEEE 754 bytes in hexadecimal, so that NaN, infinities and the last digit are compared as well.
import json, math, pathlib, struct, sys

client, folder = sys.argv[1:3]
sys.path.insert(0, client)
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import _parse_sample as plain


def bits(value):
    value = float(value)
    return 'nan' if math.isnan(value) else struct.pack('>d', value).hex()


def read(path):
    text = path.read_bytes().decode('utf-8', 'replace')
    if text.rstrip('\n').endswith('# EOF'):
        samples = [sample for family in openmetrics(text) for sample in family.samples]
    else:
        # Line by line: of the old format the client renames the samples of counters, as its own data model has it.
        lines = (line.strip() for line in text.split('\n'))
        samples = [plain(line) for line in lines if line and not line.startswith('#')]
    return sorted([sample.name, sorted(sample.labels.items()), bits(sample.value)] for sample in samples)


for path in sorted(pathlib.Path(folder).rglob('*')):
    if path.is_file():
        told = {'file': str(path.relative_to(folder))}
        try:
            told['samples'] = read(path)
        except Exception as error:  # What the client does not read is told, and counted by the test.
            told['error'] = f'{type(error).__name__}: {error}'
        print(json.dumps(told))
