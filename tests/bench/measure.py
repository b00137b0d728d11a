# Runs stacktop on a pseudo terminal and measures it: python3 measure.py MODE BINARY CONFIG [SECONDS]
#   first  from exec to the first screen, median of 20
#   keys   from a key to the changed screen, 60 keys
#   load   CPU, memory and bytes to a 160x50 terminal over SECONDS
import fcntl, os, pty, re, select, signal, statistics, struct, sys, tempfile, termios, time

mode, binary, config = sys.argv[1:4]
seconds = float(sys.argv[4]) if len(sys.argv) > 4 else 60.0
state = tempfile.mkdtemp()


def start():
    began = time.perf_counter()
    pid, master = pty.fork()
    if pid == 0:
        os.execve(binary, [binary, '--config', config],
                  {'TERM': 'xterm-256color', 'LANG': 'C.UTF-8', 'HOME': state, 'USER': 'bench'})
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack('HHHH', 50, 160, 0, 0))
    return pid, master, began


def read(master, until):
    """Bytes that come before the moment `until`; empty when none did."""
    left = until - time.perf_counter()
    if left <= 0 or not select.select([master], [], [], left)[0]:
        return b''
    try:
        return os.read(master, 1 << 16)
    except OSError:
        return b''


def end(pid, master):
    os.kill(pid, signal.SIGTERM)
    until = time.perf_counter() + 3
    while time.perf_counter() < until:
        read(master, time.perf_counter() + 0.02)
        if os.waitpid(pid, os.WNOHANG)[0]:
            os.close(master)
            return
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(master)


def first():
    times = []
    for _ in range(20):
        pid, master, began = start()
        seen = b''
        while b'overview' not in seen:
            seen += read(master, time.perf_counter() + 5)
        times.append((time.perf_counter() - began) * 1000)
        end(pid, master)
    print(f'  exec to first screen: median {statistics.median(times):.1f} ms, worst {max(times):.1f} ms')


def settle(master, quiet):
    """Reads until nothing came for `quiet` seconds."""
    while read(master, time.perf_counter() + quiet):
        pass


def keys():
    pid, master, _ = start()
    time.sleep(6)
    settle(master, 0.05)
    times = []
    for n in range(60):
        settle(master, 0.03)
        began = time.perf_counter()
        os.write(master, b'231'[n % 3:n % 3 + 1])
        read(master, began + 5)
        times.append((time.perf_counter() - began) * 1000)
    end(pid, master)
    print(f'  key to changed screen: median {statistics.median(times):.2f} ms, worst {max(times):.2f} ms')


def cpu(pid):
    fields = open(f'/proc/{pid}/stat').read().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def load():
    pid, master, _ = start()
    warm = time.perf_counter() + 10
    while time.perf_counter() < warm:
        read(master, warm)
    before, count, began = cpu(pid), 0, time.perf_counter()
    while time.perf_counter() < began + seconds:
        count += len(read(master, began + seconds))
    used, passed = cpu(pid) - before, time.perf_counter() - began
    status = open(f'/proc/{pid}/status').read()
    rss = int(re.search(r'VmRSS:\s+(\d+)', status)[1]) / 1024
    end(pid, master)
    print(f'  {100 * used / passed:.2f} % of a core, {rss:.1f} MiB resident, {count / passed:.0f} bytes/s to the terminal')


{'first': first, 'keys': keys, 'load': load}[mode]()
