package apply

import (
	"cmp"
	"fmt"
	"path/filepath"
	"sync"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/machine"
	"github.com/dkms-hook/dkms-hook/internal/report"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/kbuild"
	"github.com/dkms-hook/dkms-hook/kbuild/ko"
)

// ubuntuPair is the key pair that Ubuntu's shim-signed keeps; it is used where
// it exists, and never replaced.
var ubuntuPair = ko.KeyPair{Key: "/var/lib/shim-signed/mok/MOK.priv", Cert: "/var/lib/shim-signed/mok/MOK.der"}

// Keys are what modules are signed with: found, or made, when first asked for.
type Keys struct {
	machine *machine.Machine
	console *report.Console
	chroot  bool // decided before any private namespace is made

	mu sync.Mutex // held while a pair is looked for, or made
}

// NewKeys is to be called before anything is built: it looks whether this is a
// chroot.
func NewKeys(m *machine.Machine, console *report.Console) *Keys {
	return &Keys{machine: m, console: console, chroot: system.InChroot()}
}

// Ensure returns the key pair for a kernel release. Where there is none it is
// made, and that is told.
func (k *Keys) Ensure(release string) (ko.KeyPair, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	pair := k.pair(release)
	created, err := ko.Ensure(pair, true)
	if created && err == nil {
		k.console.Notice(fmt.Sprintf("made a new signing key: %s, certificate %s", pair.Key, pair.Cert))
		k.console.Notice("where Secure Boot is on, enrol it once: mokutil --import " + pair.Cert)
	}
	return pair, err
}

// pair is framework.conf's, the distribution's, or that in the tree.
func (k *Keys) pair(release string) ko.KeyPair {
	f, dir := k.machine.Framework.For(release), k.machine.Tree.Dir
	distro, _ := machine.Distribution()
	fallback := ko.KeyPair{Key: filepath.Join(dir, "mok.key"), Cert: filepath.Join(dir, "mok.pub")}
	if distro == "ubuntu" && system.Exists(ubuntuPair.Key) {
		fallback = ubuntuPair
	}
	return ko.KeyPair{Key: cmp.Or(f.MokSigningKey, fallback.Key), Cert: cmp.Or(f.MokCertificate, fallback.Cert)}
}

// signs reports whether modules for a kernel are to be signed, and says why not.
func (k *Keys) signs(kernel kbuild.Kernel) (bool, string) {
	switch try := k.machine.Framework.TrySignModules; {
	case kernel.Config.Value("CONFIG_MODULE_SIG_HASH") == "":
		return false, "the kernel's configuration has no CONFIG_MODULE_SIG_HASH"
	case try == conf.Never:
		return false, "try_sign_modules is false"
	case try != conf.Always && k.chroot:
		return false, "this is a chroot and try_sign_modules is not true"
	}
	return true, ""
}

// signer returns what signs modules for a kernel; nil when they stay unsigned.
func (k *Keys) signer(kernel kbuild.Kernel) (*ko.Signer, error) {
	if ok, why := k.signs(kernel); !ok {
		if k.machine.Talkative() {
			k.console.Notice("modules for " + kernel.Release + " stay unsigned: " + why)
		}
		return nil, nil
	}
	pair, err := k.Ensure(kernel.Release)
	if err != nil {
		return nil, err
	}
	signer := &ko.Signer{Keys: pair, Hash: kernel.Config.Value("CONFIG_MODULE_SIG_HASH"), Tools: k.tools(kernel)}
	return signer, signer.Check()
}

// tools are the programs that may sign for a kernel: framework.conf's, its own.
func (k *Keys) tools(kernel kbuild.Kernel) []string {
	tools := []string{filepath.Join(kernel.Source, "scripts", "sign-file")}
	if own := k.machine.Framework.For(kernel.Release).SignFile; own != "" {
		tools = append([]string{own}, tools...)
	}
	return tools
}
