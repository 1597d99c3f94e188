//go:build e2e

package initramfs

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/test/e2e/box"
)

// helperEnv has the test binary, in a box, answer for this room.
const helperEnv = "INITRAMFS_TEST_HELPER"

func TestMain(m *testing.M) {
	if os.Getenv(helperEnv) == "" {
		os.Exit(m.Run())
	}
	if err := answer(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// answer finds the image of a release, has it made, or prints those of the
// arguments, each one module or some with commas between, of which it holds one.
func answer(release string, args []string) error {
	i, ok := Find(release)
	if !ok {
		fmt.Println("none")
		return nil
	}
	if len(args) == 0 {
		fmt.Println(i.Path, "by", i.Tool)
		return nil
	}
	if args[0] == "refresh" {
		return i.Refresh(context.Background(), os.Stdout)
	}
	for _, modules := range args {
		held, err := i.Holds(context.Background(), strings.Split(modules, ","))
		if err != nil {
			return err
		}
		if held {
			fmt.Println(modules)
		}
	}
	return nil
}

const helper = "/usr/bin/initramfs-test-helper"

// A debian is a box with initramfs-tools, a kernel, and a module my-mod for it.
type debian struct {
	*box.Box
	release string
}

func newDebian(t *testing.T) debian {
	t.Helper()
	root, err := filepath.Abs("../../build/e2e/rootfs")
	if err != nil {
		t.Fatal(err)
	}
	kernels, err := os.ReadFile(filepath.Join(root, "kernels"))
	if err != nil {
		box.Lacks(t, root+": make rootfs makes it")
	}
	m := regexp.MustCompile(`(?m)^cloud (.*)`).FindSubmatch(kernels)
	if m == nil {
		t.Fatalf("kernels of the root: %q", kernels)
	}
	d := debian{box.NewOn(t, filepath.Join(root, "root")), string(m[1])}
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	d.WriteProgram(helper, string(self))
	d.Write("/etc/initramfs-tools/conf.d/e2e", "MODULES=list\n") // a second, not fifteen
	d.Must("apt-get", "-y", "install", "linux-image-"+d.release)
	d.Must("sh", "-c", `cd /lib/modules/`+d.release+` && mkdir -p updates/dkms && cp kernel/fs/exfat/exfat.ko updates/dkms/my-mod.ko && depmod `+d.release)
	return d
}

// ask runs the helper as a package's postinst would.
func (d debian) ask(t *testing.T, args ...string) string {
	t.Helper()
	env := []string{helperEnv + "=1", "DPKG_MAINTSCRIPT_PACKAGE=foo-dkms", "DPKG_MAINTSCRIPT_NAME=postinst"}
	r := d.RunWith(env, append([]string{helper, d.release}, args...)...)
	if r.Status != 0 {
		t.Fatalf("exit status %d: %s", r.Status, r)
	}
	return strings.TrimSpace(r.Stdout)
}

// agrees compares us with a program that lists an image: we must find those
// modules that it lists, and no other one of the kernel's.
func (d debian) agrees(t *testing.T, lister ...string) {
	t.Helper()
	var listed, others []string
	for _, m := range regexp.MustCompile(`(?m)([^/\s]+)\.ko$`).FindAllStringSubmatch(d.Must(lister...).Stdout, -1) {
		listed = append(listed, m[1])
	}
	slices.Sort(listed)
	listed = slices.Compact(listed)
	for _, path := range d.Glob("/lib/modules/" + d.release + "/kernel/fs/*/*.ko") {
		name := strings.TrimSuffix(filepath.Base(path), ".ko")
		if !slices.Contains(listed, name) {
			others = append(others, name)
		}
	}
	if len(listed) == 0 || len(others) == 0 {
		t.Fatalf("%d modules in the image, %d not: this proves nothing", len(listed), len(others))
	}
	got := strings.Fields(d.ask(t, append(slices.Clone(listed), strings.Join(others, ","))...))
	if !slices.Equal(got, listed) {
		t.Errorf("modules found: %q\n%s lists: %q", got, lister[0], listed)
	}
}

func TestInitramfsTools(t *testing.T) {
	d := newDebian(t)
	path := "/boot/initrd.img-" + d.release
	if got, want := d.ask(t), path+" by update-initramfs"; got != want {
		t.Errorf("Find = %q; want %q", got, want)
	}
	if got := d.ask(t, "my_mod"); got != "" {
		t.Error("my_mod is in the image before it is asked for")
	}
	d.Write("/etc/initramfs-tools/modules", "my-mod\nvfat\n")
	d.Write("/boot/initrd.img-6.0.0-other", "as before")
	for _, compress := range []string{"zstd", "xz"} {
		d.Write("/etc/initramfs-tools/conf.d/compress", "COMPRESS="+compress+"\n")
		said := d.ask(t, "refresh")
		if strings.Count(said, "Generating ") != 1 || !strings.Contains(said, "Generating "+path) {
			t.Errorf("%s: Refresh printed %q; want one image to be generated", compress, said)
		}
		if got := d.ask(t, "my_mod", "my-mod", "my"); got != "my_mod\nmy-mod" {
			t.Errorf("%s: Holds finds %q; want my_mod and my-mod", compress, got)
		}
		d.agrees(t, "lsinitramfs", path)
	}
	if got := string(d.Read("/boot/initrd.img-6.0.0-other")); got != "as before" {
		t.Errorf("another kernel's image changed to %d bytes", len(got))
	}
}

func TestDracut(t *testing.T) {
	deb, err := os.ReadFile("../../build/e2e/debs/dracut-core.deb")
	if err != nil {
		box.Lacks(t, "build/e2e/debs/dracut-core.deb: make debs fetches it")
	}
	d := newDebian(t)
	d.Write("/root/dracut.deb", string(deb))
	d.Must("dpkg", "--force-depends", "-i", "/root/dracut.deb")
	d.RemoveAll("/usr/sbin/update-initramfs")
	path := "/boot/initrd.img-" + d.release
	if got, want := d.ask(t), path+" by dracut"; got != want {
		t.Errorf("Find = %q; want %q", got, want)
	}
	d.RemoveAll(path)
	path = "/boot/initramfs-" + d.release + ".img"
	if got := d.ask(t); got != "none" {
		t.Errorf("Find = %q; want none", got)
	}
	d.Write(path, "")
	for _, compress := range []string{"zstd", "gzip", "xz", "cat"} {
		d.Write("/etc/dracut.conf.d/e2e.conf", "hostonly=no\ndracutmodules=\" kernel-modules \"\ndrivers=\" my-mod vfat \"\ncompress="+compress+"\n")
		d.ask(t, "refresh")
		if got := d.ask(t, "my_mod", "my-mod", "my"); got != "my_mod\nmy-mod" {
			t.Errorf("%s: Holds finds %q; want my_mod and my-mod", compress, got)
		}
		d.agrees(t, "lsinitrd", path)
	}
}
