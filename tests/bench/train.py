# Uses stacktop for some minutes, as people do, so that what runs is known before the binary for others is built:
# python3 train.py BINARY FOLDER. Shown are the demo and whichever servers the environment names (`tests/run serve` prints it). What a
# build that counts writes is put into FOLDER: `first-…` of what runs while nobody touches a key, `keys-…` of the rest.
import fcntl, os, pty, select, signal, struct, subprocess, sys, tempfile, termios, time

binary, folder = (os.path.abspath(path) for path in sys.argv[1:3])
home = tempfile.mkdtemp()
environment = {'TERM': 'xterm-256color', 'LANG': 'C.UTF-8', 'HOME': home, 'USER': 'trainer'}
# Each page, a row of it, its menu (left again), help, a filter, and the sizes that people have.
PAGES = '1234567890'
KEYS = ['\r', 'j', 'j', '\r', '\x1b', 'x', '\x1b', '\x1b', 'k', '?', '\x1b', '/', 'a', '\r', '\x1b', '+', '-']


def show(arguments, quiet, keys, size):
    """Runs it on a terminal of that size, `quiet` seconds left alone, then with keys; ended as a shell ends it."""
    pid, master = pty.fork()
    if pid == 0:
        kind = 'keys' if keys else 'first'
        os.execve(binary, [binary, *arguments], environment | {'LLVM_PROFILE_FILE': f'{folder}/{kind}-%m.profraw'})
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack('HHHH', *size, 0, 0))

    def read(seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if select.select([master], [], [], 0.1)[0]:
                try:
                    os.read(master, 1 << 16)
                except OSError:
                    return

    read(quiet)
    for key in keys:
        os.write(master, key.encode())
        read(0.4)
    read(2)
    os.kill(pid, signal.SIGTERM)
    read(5)
    _, status = os.waitpid(pid, 0)
    os.close(master)
    # As its manual says of a signal.
    if os.waitstatus_to_exitcode(status) != 128 + signal.SIGTERM:
        sys.exit(f'{arguments}: ended with {os.waitstatus_to_exitcode(status)}')


def walk(pages=PAGES):
    return [key for page in pages for key in [page, *KEYS]]


show(['demo'], 15, walk(), (24, 80))
show(['demo'], 15, [], (50, 160))
entries = {}
for kind, name in [('postgres', 'PG'), ('redis', 'REDIS'), ('search', 'ES'), ('prometheus', 'PROMETHEUS'), ('metrics', 'METRICS'),
                   ('alertmanager', 'ALERTMANAGER')]:
    url = os.environ.get(f'STACKTOP_TEST_{name}_URL')
    if url:
        entries[kind] = f'[[{kind}]]\nurl = "{url}"\ninterval = "1s"\n'
    else:
        print(f'  (no {kind}: not in the environment)', file=sys.stderr)
if entries:
    config = os.path.join(home, 'all.toml')
    with open(config, 'w') as file:
        file.write('\n'.join(entries.values()))
    show(['--config', config], 30, walk(), (50, 160))
    show(['--config', config], 5, ['1'], (24, 80))
    counted = environment | {'LLVM_PROFILE_FILE': f'{folder}/keys-%m.profraw'}
    subprocess.run([binary, 'check', '--config', config], env=counted, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
for kind in ('postgres', 'redis'):
    if kind in entries:
        config = os.path.join(home, f'{kind}.toml')
        with open(config, 'w') as file:
            file.write(entries[kind])
        show(['--config', config], 30, [], (50, 160))
