package read

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/golden"
	"github.com/dkms-hook/dkms-hook/kbuild"
	"github.com/dkms-hook/dkms-hook/kbuild/ko"
	"github.com/dkms-hook/dkms-hook/pkgfmt/pkgtest"
)

// moduleSource has all that is read of a module, without a kernel.
const moduleSource = `
#define INFO(n, s) static const char n[] __attribute__((section(".modinfo"), used, aligned(1))) = s
INFO(a, "name=sample"); INFO(b, "version=1.2"); INFO(c, "license=GPL"); INFO(d, "description=a sample");
INFO(e, "srcversion=0123456789ABCDEF"); INFO(f, "vermagic=6.1.0-1-amd64 SMP mod_unload modversions ");
INFO(g, "depends=other,more"); INFO(h, "firmware=sample.bin"); INFO(i, "alias=pci:v1"); INFO(j, "alias=pci:v2");
struct version { unsigned long crc; char name[64 - sizeof(unsigned long)]; };
static const struct version v[] __attribute__((used, section("__versions"))) = {{0x11223344, "module_layout"}, {0x55667788, "_printk"}};
int _printk(const char *, ...);
int sample_add(int a) { return _printk("x") + a; }
const char __ksymtab_sample_add[] = "";
__asm__(".globl __crc_sample_add\n.set __crc_sample_add, 0x19aabbcc");
`

// compiled is the module's object file.
var compiled = sync.OnceValues(func() (data []byte, err error) {
	dir, err := os.MkdirTemp("", "read-test-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	source := filepath.Join(dir, "sample.c")
	if err := os.WriteFile(source, []byte(moduleSource), 0o600); err != nil {
		return nil, err
	}
	cmd := pkgtest.Command("gcc", "-c", "-O2", "-fno-pie", "-o", source+".o", source)
	if out, err := cmd.CombinedOutput(); err != nil {
		return out, err
	}
	return os.ReadFile(source + ".o")
})

func module(t testing.TB) []byte {
	t.Helper()
	pkgtest.Needs(t, "gcc")
	data, err := compiled()
	if err != nil {
		t.Fatalf("gcc: %v\n%s", err, data)
	}
	return data
}

// sampleConf is a dkms.conf that means different things for different kernels,
// and sources a file.
const sampleConf = `PACKAGE_NAME="sample"
PACKAGE_VERSION="2.0"
. "${BASH_SOURCE%/*}/common.inc"
MAKE[0]="make KVER=${kernelver} all"
BUILT_MODULE_NAME[0]="sample"
BUILT_MODULE_LOCATION[0]="src"
DEST_MODULE_LOCATION[0]="/updates"
BUILT_MODULE_NAME[1]="newer"
DEST_MODULE_NAME[1]="brandnew"
DEST_MODULE_LOCATION[1]="/extra"
STRIP[1]="no"
BUILD_EXCLUSIVE_KERNEL_MIN[1]="6.5"
PATCH[0]="old.patch"
PATCH_MATCH[0]="^6\.1\."
PRE_BUILD="configure ${kernelver}"
BUILD_DEPENDS[0]="base"
touch /tmp/should-not-be-there
`

func sampleKernels() []kbuild.Kernel {
	kernel := func(release string) kbuild.Kernel {
		return kbuild.Kernel{KernelID: dkms.KernelID{Release: release, Arch: "x86_64"}, Source: "/lib/modules/" + release + "/build", Headers: true, Suffix: ".ko"}
	}
	old, out := kernel("6.1.0-1-amd64"), kernel("7.0.0")
	out.Headers = false
	return []kbuild.Kernel{old, out}
}

// samplePackage has everything that a report can show, and strings that would
// rather not be seen.
func samplePackage(t testing.TB) []byte {
	const src = "./usr/src/sample-2.0/"
	return debOf(
		tarBytes(t, entry("./control", strings.Replace(sampleControl, "a sample", "a \x1b[31msample", 1)), entry("./postinst", "#!/bin/sh\nset -e\n\tdkms add\n"),
			entry("./triggers", "interest-noawait /usr/src\n"), entry("./conffiles", "/etc/sample.conf\n")),
		tarBytes(t, entry("./etc/sample.conf", "x=1\n"), entry("./lib/modules/6.1.0-1-amd64/extra/sample.ko", string(module(t))),
			entry("./lib/modules/6.1.0-1-amd64/extra/broken.ko.xz", "nothing"),
			entry(src+"dkms.conf", sampleConf), entry(src+"common.inc", "AUTOINSTALL=yes\nBUILD_EXCLUSIVE_KERNEL_MAX=6.99\n"),
			entry(src+"Makefile", "obj-m := sample.o\n"), entry(src+"\u202eb\x9b.c", "int a;\n"),
			entry("./usr/share/doc/sample-dkms/changelog.Debian", sampleLog)))
}

// sampleReport is that of samplePackage, as if it lay here.
func sampleReport(t testing.TB, o Options) *Report {
	t.Helper()
	path := file(t, "sample.deb", samplePackage(t))
	r, err := o.Inspect(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	r.File = "sample.deb"
	for i, f := range r.Files { // whose size is that of one compiler's code
		if strings.HasSuffix(f.Path, "/sample.ko") {
			r.Files[i].Size = 4096
		}
	}
	return r
}

func TestInspectText(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := sampleReport(t, Options{Kernels: sampleKernels(), Symbols: true}).WriteText(&out); err != nil {
		t.Fatal(err)
	}
	golden.File(t, "testdata/inspect.txt", out.String())
	if _, err := os.Stat("/tmp/should-not-be-there"); err == nil {
		t.Error("the dkms.conf has written a file")
	}
}

// TestInspectTextRPM: what only an RPM has.
func TestInspectTextRPM(t *testing.T) {
	t.Parallel()
	files := []rawFile{
		{name: "/etc/sample.conf", text: "x=1\n", mode: 0o100644}, {name: "/usr/bin/first", mode: 0o104755, inode: 7},
		{name: "/usr/bin/second", text: "linked\n", mode: 0o104755, inode: 7}, {name: "/usr/src/link", mode: 0o120777, link: "../\x1b[2J"},
		{name: "/var/lib/sample", mode: 0o41777}, {name: "/var/lib/sample/state", mode: 0o100600},
	}
	tags := append(append(identity(), fileTags(files)...),
		rawTag{tag: 1011, value: "Example"}, rawTag{tag: 1015, value: "A. Tester <a@example.org>"}, rawTag{tag: 1016, value: []string{"System/Kernel"}}, rawTag{tag: 1009, value: []uint32{12}},
		rawTag{tag: 1049, value: []string{"/bin/sh", "(dkms-hook or dkms >= 3.0)", "kmod"}}, rawTag{tag: 1050, value: []string{"", "", "30"}}, rawTag{tag: 1048, value: []uint32{1<<9 | 1<<8, 0, 12}},
		rawTag{tag: 1047, value: []string{"sample"}}, rawTag{tag: 1113, value: []string{"1:2.0-3.fc99"}}, rawTag{tag: 1112, value: []uint32{8}},
		rawTag{tag: 1023, value: "exit 0\n"}, rawTag{tag: 1086, value: []string{"/sbin/ldconfig"}}, rawTag{tag: 1152, value: "print(1)"}, rawTag{tag: 1154, value: []string{"<lua>"}},
		rawTag{tag: 5076, value: []string{"cat\n"}}, rawTag{tag: 5077, value: []string{"/bin/sh"}}, rawTag{tag: 5079, value: []string{"/usr/src", "/lib/modules"}},
		rawTag{tag: 5080, value: []uint32{0, 0}}, rawTag{tag: 5081, value: []string{"", ""}}, rawTag{tag: 5082, value: []uint32{1 << 16, 1 << 16}}, rawTag{tag: 5085, value: []uint32{1000000}},
		rawTag{tag: 1080, value: []uint32{1700000000, 1600000000}}, rawTag{tag: 1081, value: []string{"A. Tester <a@example.org> - 1:2.0-3", "B"}}, rawTag{tag: 1082, value: []string{"- One.\n  More.", "- Old."}})
	for i := range tags {
		if tags[i].tag == tagFileFlags { // config(noreplace), doc, license and artifact, none, none, ghost
			tags[i].value = []uint32{1<<0 | 1<<4, 1 << 1, 1<<7 | 1<<12, 0, 0, 1 << 6}
		}
	}
	data := rawRPM([]rawTag{{tag: 268, value: v3()}, {tag: 1002, value: []byte("?")}}, tags, compress(t, "gzip", cpioBytes(files[:5]...)))
	r, err := Inspect(file(t, "sample.rpm", data), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.File = "sample.rpm"
	var out bytes.Buffer
	if err := r.WriteText(&out); err != nil {
		t.Fatal(err)
	}
	golden.File(t, "testdata/inspect-rpm.txt", out.String())
}

// TestInspectRPM: the same of an RPM, whose payload is read once.
func TestInspectRPM(t *testing.T) {
	t.Parallel()
	files := []rawFile{
		{name: "/lib/modules/6.1.0-1-amd64/extra/sample.ko.gz", text: string(compress(t, "gzip", module(t))), mode: 0o100644},
		{name: "/usr/src/sample-2.0/common.inc", text: "AUTOINSTALL=yes\n", mode: 0o100644},
		{name: "/usr/src/sample-2.0/dkms.conf", text: sampleConf, mode: 0o100644},
	}
	r, err := Inspect(file(t, "a.rpm", rpmOf(t, files, cpioBytes(files...))), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Modules) != 1 || r.Modules[0].Name != "sample" || r.Modules[0].Needed != nil || r.Modules[0].Needs != 1 {
		t.Errorf("modules = %+v", r.Modules)
	}
	if len(r.Sources) != 1 || !r.Sources[0].Autoinstall || len(r.Sources[0].Kernels) != 0 || len(r.Sources[0].Modules) != 2 {
		t.Errorf("sources = %+v", r.Sources)
	}
}

// TestInspectModules: how modules are compressed is seen by their content, and
// one that cannot be read spoils nothing.
func TestInspectModules(t *testing.T) {
	t.Parallel()
	var entries []tarEntry
	for _, algorithm := range []string{"none", "gzip", "xz", "zstd"} {
		entries = append(entries, entry("./m/"+algorithm+".ko", string(compress(t, algorithm, module(t)))))
	}
	signedModule, signer := signedModule(t)
	entries = append(entries, entry("./m/signed.ko", string(signedModule)), entry("./m/text.ko", "text"), entry("./m/empty.ko", ""),
		entry("./m/cut.ko.gz", string(compress(t, "gzip", module(t))[:99])),
		entry("./m/bomb.ko.gz", string(compress(t, "gzip", make([]byte, 56<<20)))), entry("./m/not.kox", "x"))
	r, err := Inspect(file(t, "a.deb", dataDeb(t, entries...)), nil)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, m := range r.Modules {
		got[strings.TrimPrefix(m.Path, "/m/")] = strings.Join([]string{m.Name, m.Version, m.Signer, m.Problem}, "|")
	}
	want := map[string]string{
		"none.ko": "sample|1.2||", "gzip.ko": "sample|1.2||", "xz.ko": "sample|1.2||", "zstd.ko": "sample|1.2||",
		"signed.ko": "sample|1.2|" + signer + "|", "text.ko": "|||is no ELF file", "empty.ko": "|||is no ELF file",
		"cut.ko.gz": "|||unexpected EOF", "bomb.ko.gz": "|||decompresses to more than its size allows",
	}
	got["bomb.ko.gz"], _, _ = strings.Cut(got["bomb.ko.gz"], ":")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("modules (-want +got):\n%s", diff)
	}
}

// signedModule returns the module with a signature, and whose that is.
func signedModule(t testing.TB) (data []byte, signer string) {
	t.Helper()
	dir := t.TempDir()
	keys := ko.KeyPair{Key: filepath.Join(dir, "key"), Cert: filepath.Join(dir, "cert")}
	if _, err := ko.Ensure(keys, true); err != nil {
		t.Fatal(err)
	}
	cert, err := keys.Certificate()
	if err != nil {
		t.Fatal(err)
	}
	path := file(t, "sample.ko", module(t))
	if err := (&ko.Signer{Keys: keys, Hash: "sha256"}).SignFile(context.Background(), path); err != nil {
		t.Fatal(err)
	}
	if data, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	return data, cert.Subject.CommonName
}

// TestHostileConfs: a dkms.conf that cannot be evaluated is told in the report,
// and nothing is left behind.
func TestHostileConfs(t *testing.T) {
	scratch := t.TempDir()
	t.Setenv("TMPDIR", scratch)
	for text, want := range map[string]string{
		"PACKAGE_NAME=(":                 "/usr/src/a-1/dkms.conf",
		"while :; do :; done":            "does not come to an end",
		"PACKAGE_NAME=a":                 "PACKAGE_VERSION",
		"echo x > ${BASH_SOURCE%/*}/new": "PACKAGE_NAME",
		"\x00\x1b[2J":                    "PACKAGE_NAME",
	} {
		o := Options{Kernels: sampleKernels()[:1], patience: 100 * time.Millisecond}
		r, err := o.Inspect(t.Context(), file(t, "a.deb", dataDeb(t, entry("./usr/src/a-1/dkms.conf", text))))
		if err != nil {
			t.Fatal(err)
		}
		if all := strings.Join(r.Sources[0].Problems, "\n"); !strings.Contains(all, want) || strings.Contains(all, scratch) {
			t.Errorf("dkms.conf %q: problems = %q; want %q in them", text, all, want)
		}
	}
	left, err := os.ReadDir(scratch)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range left {
		if strings.HasPrefix(e.Name(), "dkms-mkpkg-") {
			t.Errorf("%s is left behind", e.Name())
		}
	}
	path := file(t, "a.deb", dataDeb(t, entry("./usr/src/a-1/dkms.conf", strings.Repeat("#\n", maxConf))))
	_, err = Inspect(path, nil)
	refused(t, err, path, "/usr/src/a-1/dkms.conf", "has more than")
}

// TestNoNull: lists are empty, not null, in every report.
func TestNoNull(t *testing.T) {
	t.Parallel()
	for i, data := range append(seedDebs(t), append(seedRPMs(t), sampleDeb(t), samplePackage(t))...) {
		r, err := Inspect(file(t, "a", data), sampleKernels())
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(r)
		if err != nil || bytes.Contains(text, []byte("null")) {
			t.Errorf("package %d: %v, %s", i, err, text)
		}
	}
}
