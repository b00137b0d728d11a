# A hundred targets in one process: python3 many.py BINARY [ENDPOINTS SAMPLES [SECONDS]]
# Serves expositions of so many samples from a process of its own, runs stacktop with so many endpoints at the default interval on a pseudo
# terminal, and prints what that costs: memory, a core's share, CPU time a key on the metrics screen and of a freeze, findings (there should
# be none), reports that came too late.
import asyncio, fcntl, multiprocessing, os, pty, re, select, signal, struct, sys, tempfile, termios, time

BUCKETS = ['0.005', '0.01', '0.025', '0.05', '0.1', '0.25', '0.5', '1', '2.5', '5', '+Inf']
CLEAR = re.compile(rb'\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[()][A-Z0-9]|\x1b[=>78]')


def template(samples):
    """An exposition with a place for each counter: histograms by route, requests by status, gauges for the rest."""
    lines, rates = [], []
    lines.append('# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds 1.7e9\n# TYPE request_duration_seconds histogram\n')
    series = max(1, samples * 7 // 10 // 13)
    for n in range(series):
        labels = f'path="/v1/{n}"'
        for index, bound in enumerate(BUCKETS):
            lines.append(f'request_duration_seconds_bucket{{{labels},le="{bound}"}} %d\n')
            rates.append(min(40, 30 + 3 * index))
        for suffix, rate in (('sum', 2), ('count', 40)):
            lines.append(f'request_duration_seconds_{suffix}{{{labels}}} %d\n')
            rates.append(rate)
    lines.append('# TYPE http_requests_total counter\n')
    for n in range(series):
        lines.append(f'http_requests_total{{path="/v1/{n}",status="200"}} %d\n')
        rates.append(40)
    left = samples - 1 - 14 * series
    lines.append('# TYPE pool_busy gauge\n')
    lines += [f'pool_busy{{pool="p{n}"}} {n}\n' for n in range(left)]
    return ''.join(lines), rates


def serve(samples, count, ready):
    text, rates = template(samples)
    made = {}

    def answer():
        second = int(time.monotonic())
        if second not in made:
            made.clear()
            body = (text % tuple(rate * second for rate in rates)).encode()
            head = f'HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {len(body)}\r\n\r\n'
            made[second] = head.encode() + body
        return made[second]

    class Endpoint(asyncio.Protocol):
        def connection_made(self, transport):
            self.transport, self.seen = transport, b''

        def data_received(self, data):
            self.seen += data
            while b'\r\n\r\n' in self.seen:
                self.seen = self.seen.split(b'\r\n\r\n', 1)[1]
                self.transport.write(answer())

    async def run():
        loop = asyncio.get_running_loop()
        servers = [await loop.create_server(Endpoint, '127.0.0.1', 0) for _ in range(count)]
        ready.send(([server.sockets[0].getsockname()[1] for server in servers], len(answer())))
        await asyncio.Event().wait()

    asyncio.run(run())


class Run:
    def __init__(self, binary, config):
        state = tempfile.mkdtemp()
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.execve(binary, [binary, '--config', config],
                      {'TERM': 'xterm-256color', 'LANG': 'C.UTF-8', 'HOME': state, 'USER': 'bench'})
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack('HHHH', 50, 160, 0, 0))

    def read(self, seconds):
        """What is drawn within so many seconds."""
        until, seen = time.perf_counter() + seconds, b''
        while (left := until - time.perf_counter()) > 0:
            if select.select([self.master], [], [], left)[0]:
                try:
                    seen += os.read(self.master, 1 << 16)
                except OSError:
                    sys.exit(f'it ended: {CLEAR.sub(b" ", seen)[-400:]}')
        return seen

    def screen(self):
        """The whole screen, drawn anew, as one text."""
        os.write(self.master, b'\x0c')
        return CLEAR.sub(b' ', self.read(0.5)).decode(errors='replace')

    def cpu(self):
        """CPU time of the process so far, threads that ended included, in milliseconds."""
        fields = open(f'/proc/{self.pid}/stat').read().rsplit(')', 1)[1].split()
        return 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def resident(self):
        return int(re.search(r'VmRSS:\s+(\d+)', open(f'/proc/{self.pid}/status').read())[1]) / 1024

    def main(self):
        """CPU time of the thread that draws, in milliseconds."""
        return int(open(f'/proc/{self.pid}/task/{self.pid}/schedstat').read().split()[0]) / 1e6


def key(run, keys, times=40):
    """CPU time of one key, without what goes on anyhow."""
    before, began = run.main(), time.perf_counter()
    run.read(3)
    idle = (run.main() - before) / (time.perf_counter() - began)
    before, began = run.main(), time.perf_counter()
    for n in range(times):
        os.write(run.master, keys[n % len(keys):][:1])
        run.read(0.05)
    return (run.main() - before - idle * (time.perf_counter() - began)) / times


def measure(binary, count, samples, seconds):
    ready, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(samples, count, theirs), daemon=True)
    server.start()
    ports, size = ready.recv()
    config = tempfile.NamedTemporaryFile('w', suffix='.toml', delete=False)
    for n, port in enumerate(ports):
        config.write(f'[[metrics]]\nname = "shop-{n:03}"\nurl = "http://127.0.0.1:{port}/metrics"\n')
    config.close()
    run = Run(binary, config.name)
    findings, late, unknown = 0, 0, 0

    def look():
        nonlocal findings, late
        text = run.screen()
        found = re.search(r'Findings \((\d+)', text)
        findings = max(findings, int(found[1]) if found else 0)
        found = re.search(r'(\d+) reports came too late', text)
        late = max(late, int(found[1]) if found else 0)
        return text

    os.write(run.master, b'1')
    until = time.perf_counter() + 15
    while time.perf_counter() < until:
        look()
        run.read(1)
    before, began = run.cpu(), time.perf_counter()
    while time.perf_counter() < began + seconds:
        run.read(10)
        look()
    share = (run.cpu() - before) / (time.perf_counter() - began) / 10
    resident = run.resident()
    print(f'{count} endpoints of {samples} samples ({size / 1024:.0f} KiB): {resident:.1f} MiB resident, {share:.1f} % of a core,'
          f' {findings} findings, {late} reports too late')
    os.write(run.master, b'8')
    run.read(1)
    walk = key(run, b'jjjjkk')
    os.write(run.master, b'\r')
    run.read(1)
    opened = key(run, b'jjjjkk')
    os.write(run.master, b'\x1b')
    run.read(1)
    before = run.resident()
    os.write(run.master, b'p')
    run.read(12)
    print(f'  a key on the metrics screen {walk:.2f} ms of CPU, in an opened endpoint {opened:.2f} ms; frozen for 12 s: {run.resident() - before:+.1f} MiB')
    os.kill(run.pid, signal.SIGKILL)
    os.waitpid(run.pid, 0)
    server.terminate()
    os.unlink(config.name)


binary = sys.argv[1]
if len(sys.argv) > 3:
    measure(binary, int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]) if len(sys.argv) > 4 else 60)
else:
    measure(binary, 100, 1800, 60)
    measure(binary, 200, 184, 60)
