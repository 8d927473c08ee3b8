"""Trees of awkward content: `make DIR` the three layers of an image, `apply TAR ROOT` with GNU tar, `scan ROOT`."""
import hashlib
import os
import stat
import subprocess
import sys
import tarfile

SECOND = 10**9


def place(root, name):
    path = os.path.join(root, os.fsencode(name))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return path


def file(root, name, content="", mode=0o644, owner=(0, 0), time=1_600_000_000 * SECOND + 123_456_789, xattrs={}):
    path = place(root, name)
    with open(path, "wb") as out:
        out.write(os.fsencode(content or name))
    finish(path, mode, owner, time, xattrs)


def directory(root, name, mode=0o755, owner=(0, 0), xattrs={}):
    path = place(root, name)
    os.makedirs(path, exist_ok=True)
    finish(path, mode, owner, None, xattrs)


def finish(path, mode, owner, time, xattrs):
    os.chown(path, *owner)
    os.chmod(path, mode)
    for key, value in xattrs.items():
        os.setxattr(path, key, value)
    if time is not None:
        os.utime(path, ns=(time, time))


def link(root, target, name):
    os.symlink(os.fsencode(target), place(root, name))


def node(root, name, kind, device=0, mode=0o600):
    os.mknod(place(root, name), kind | mode, device)


# cap_net_bind_service, effective (capability(7), version 2 of the attribute)
CAPABILITY = bytes.fromhex("0100000200040000000000000000000000000000")
LONG = "/".join(["a-rather-long-name-of-a-directory"] * 9)


def first(root):
    for name in ["gone", "gone-dir/in", "gone-dir/deeper/in", "to-dir", "to-file/in", "back-dir/in", "back-file"]:
        file(root, name)
    for name in ["opaque/old", "opaque/sub/old", "opaque-empty/old", "to-link/in", "kept/one", "implied/one", "split/a"]:
        file(root, name)
    os.link(place(root, "split/a"), place(root, "split/b"))
    link(root, "kept", "from-link")
    file(root, "links/a")
    for name in ["links/b", "other/c"]:
        os.link(place(root, "links/a"), place(root, name))
    file(root, "set/uid", mode=0o4755)
    file(root, "set/gid", mode=0o2711, owner=(7, 8))
    file(root, "set/none", mode=0)
    directory(root, "set/shared", mode=0o2775, owner=(70_000, 70_001))
    directory(root, "set/tmp", mode=0o1777)
    file(root, "owners/large", owner=(4_294_967_294, 2_097_152))
    file(root, "times/early", time=-1_000_000_000 * SECOND + 1)
    file(root, "times/late", time=2**33 * SECOND + 999_999_999)
    file(root, "attributes/capable", xattrs={"security.capability": CAPABILITY}, owner=(5, 5), mode=0o755)
    file(root, "attributes/many", xattrs={"user.note": b"\0\n=\xff" * 40, "user.empty": b""})
    directory(root, "attributes/dir", xattrs={"user.note": b"of a directory"})
    sparse = place(root, "sparse")
    with open(sparse, "wb") as out:
        for at in [0, 1 << 20, (3 << 20) + 17]:
            out.seek(at)
            out.write(b"data" * 1000)
        out.truncate(5 << 20)
    node(root, "nodes/fifo", stat.S_IFIFO, mode=0o640)
    node(root, "nodes/null", stat.S_IFCHR, os.makedev(1, 3), mode=0o666)
    node(root, "nodes/loop", stat.S_IFBLK, os.makedev(7, 300))
    file(root, "names/" + "n" * 255)
    file(root, b"names/\xff\xfe latin \xe9\n and a line")
    file(root, "names/ spaces 'quotes\" \\back")
    file(root, LONG + "/file")
    link(root, "t/" * 2047 + "t", "names/link")
    link(root, b"\xe9/" + b"x" * 150, "names/other")


def second(root):
    for name in [".wh.gone", ".wh.gone-dir", ".wh.never-was", "opaque/.wh..wh..opq", "opaque-empty/.wh..wh..opq"]:
        open(place(root, name), "w").close()
    for name in ["to-dir/in", "to-file", "back-dir", "back-file/in", "opaque/new", "opaque/sub/new", "implied/two"]:
        file(root, name, time=1_700_000_000 * SECOND)
    link(root, "kept", "to-link")
    file(root, "from-link/in", time=1_700_000_000 * SECOND)
    directory(root, "kept", mode=0o700, owner=(9, 9))
    file(root, "split/a", "changed", time=1_700_000_000 * SECOND)
    os.link(place(root, "split/a"), place(root, "split/c"))
    file(root, "owners/larger", owner=(3_000_000, 4_000_000), time=1_700_000_000 * SECOND)
    file(root, LONG + "/second", time=1_700_000_000 * SECOND)
    link(root, "u" * 300, "names/third")


def third(root):
    for name in ["back-dir/again", "back-file", "gone", "gone-dir/again", "opaque/sub/newer"]:
        file(root, name)
    for name in ["opaque/.wh.new", "to-dir/.wh.in"]:
        open(place(root, name), "w").close()


def remove(path):
    subprocess.run([b"rm", b"-rf", b"--", path], check=True)


def apply(archive, root):
    """Whiteouts by hand, the rest by GNU tar, which does not put a file where a directory is."""
    with tarfile.open(archive, encoding="utf-8", errors="surrogateescape") as members:
        entries = [(os.path.normpath(os.fsencode(member.name)), member.isdir()) for member in members]
    listed = {name for name, _ in entries}
    times = {}
    for parent, _, _ in os.walk(root):
        if os.path.relpath(parent, root) not in listed:
            times[parent] = os.lstat(parent).st_mtime_ns
    for name, is_directory in entries:
        parent, base = os.path.split(os.path.join(root, name))
        if base == b".wh..wh..opq":
            for child in os.listdir(parent) if os.path.isdir(parent) else []:
                remove(os.path.join(parent, child))
        elif base.startswith(b".wh."):
            remove(os.path.join(parent, base[4:]))
        elif os.path.lexists(os.path.join(parent, base)):
            path = os.path.join(parent, base)
            if stat.S_ISDIR(os.lstat(path).st_mode) != is_directory:
                remove(path)
    arguments = ["--xattrs", "--xattrs-include=*", "--numeric-owner", "--same-owner", "-p", "--exclude=.wh.*"]
    subprocess.run(["tar", *arguments, "-xf", archive, "-C", os.fsdecode(root)], check=True)
    for path, time in times.items():
        if os.path.isdir(path):
            os.utime(path, ns=(time, time))


def described(root, path):
    info = os.lstat(path)
    kind = stat.S_IFMT(info.st_mode)
    name = os.path.relpath(path, root)
    line = [repr(name), stat.filemode(info.st_mode), f"{info.st_uid}:{info.st_gid}", str(info.st_mtime_ns)]
    # A link that is broken by a change is still counted below; overlayfs says so without an index.
    if kind != stat.S_IFDIR and not name.startswith(b"split/"):
        line.append(f"links={info.st_nlink}")
    if kind in (stat.S_IFCHR, stat.S_IFBLK):
        line.append(f"device={os.major(info.st_rdev)}:{os.minor(info.st_rdev)}")
    if kind == stat.S_IFLNK:
        line.append(hashlib.sha1(os.readlink(path)).hexdigest())
    if kind == stat.S_IFREG:
        with open(path, "rb") as content:
            line.append(f"{info.st_size} {hashlib.sha1(content.read()).hexdigest()}")
        if info.st_size > 1 << 20:
            line.append(f"holes={info.st_blocks * 512 < info.st_size}")
    for key in sorted(os.listxattr(path, follow_symlinks=False)):
        line.append(f"{key}={os.getxattr(path, key, follow_symlinks=False).hex()}")
    return " ".join(line)


def scan(root):
    paths = [root]
    for parent, directories, files in os.walk(root):
        paths += [os.path.join(parent, name) for name in directories + files]
    print("\n".join(sorted(described(root, path) for path in paths)))


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    os.umask(0o022)
    if command == "make":
        for number, fill in enumerate([first, second, third], 1):
            root = os.path.join(os.fsencode(arguments[0]), str(number).encode())
            os.makedirs(root)
            fill(root)
    elif command == "apply":
        apply(arguments[0], os.fsencode(arguments[1]))
    elif command == "scan":
        scan(os.fsencode(arguments[0]))
