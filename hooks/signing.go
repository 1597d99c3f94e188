package hooks

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/machine"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/kbuild"
	"github.com/dkms-hook/dkms-hook/kbuild/ko"
)

// ubuntuPair is the key pair that Ubuntu's shim-signed keeps; it is used where
// it exists, and never replaced.
var ubuntuPair = ko.KeyPair{Key: "/var/lib/shim-signed/mok/MOK.priv", Cert: "/var/lib/shim-signed/mok/MOK.der"}

// keyPair is the pair for kernel release: framework.conf's, the
// distribution's, or that in the tree.
func (r *run) keyPair(release string) ko.KeyPair {
	f := r.machine.Framework.For(release)
	distro, _ := machine.Distribution()
	fallback := ko.KeyPair{Key: filepath.Join(r.machine.Tree.Dir, "mok.key"), Cert: filepath.Join(r.machine.Tree.Dir, "mok.pub")}
	if distro == "ubuntu" && system.Exists(ubuntuPair.Key) {
		fallback = ubuntuPair
	}
	return ko.KeyPair{Key: cmp.Or(f.MokSigningKey, fallback.Key), Cert: cmp.Or(f.MokCertificate, fallback.Cert)}
}

// signs reports whether modules for k are to be signed, and says why not.
func (r *run) signs(k kbuild.Kernel) (bool, string) {
	switch {
	case k.Config["CONFIG_MODULE_SIG_HASH"] == "":
		return false, "the kernel's configuration has no CONFIG_MODULE_SIG_HASH"
	case r.machine.Framework.TrySignModules == conf.Never:
		return false, "try_sign_modules is false"
	case r.machine.Framework.TrySignModules != conf.Always && r.chroot:
		return false, "this is a chroot and try_sign_modules is not true"
	}
	return true, ""
}

// signer returns what signs modules for k; nil when they stay unsigned.
func (r *run) signer(k kbuild.Kernel) (*ko.Signer, error) {
	if ok, why := r.signs(k); !ok {
		if r.machine.Talkative() {
			r.console.Notice("modules for " + k.Release + " stay unsigned: " + why)
		}
		return nil, nil
	}
	pair := r.keyPair(k.Release)
	created, err := ko.Ensure(pair, true)
	if err != nil {
		return nil, err
	}
	if created {
		r.sayCreated(pair)
	}
	signer := &ko.Signer{Keys: pair, Hash: k.Config["CONFIG_MODULE_SIG_HASH"], Tools: r.signTools(k)}
	return signer, signer.Check()
}

func (r *run) sayCreated(pair ko.KeyPair) {
	r.console.Notice(fmt.Sprintf("made a new signing key: %s, certificate %s", pair.Key, pair.Cert))
	r.console.Notice("where Secure Boot is on, enrol it once: mokutil --import " + pair.Cert)
}

// signTools are the programs that may sign for k: framework.conf's, the kernel's.
func (r *run) signTools(k kbuild.Kernel) []string {
	tools := []string{filepath.Join(k.Source, "scripts", "sign-file")}
	if own := r.machine.Framework.For(k.Release).SignFile; own != "" {
		tools = append([]string{own}, tools...)
	}
	return tools
}

// generateMOK makes the key pair if it is missing.
func (r *run) generateMOK() error {
	end, err := r.begin()
	if err != nil {
		return err
	}
	defer end()
	release, _, err := system.Uname()
	if err != nil {
		return &dkms.Error{Kind: dkms.KernelUnknown, Object: "running kernel", Problem: "cannot be determined", Err: err}
	}
	pair := r.keyPair(release)
	created, err := ko.Ensure(pair, true)
	if err != nil {
		return err
	}
	if created {
		r.sayCreated(pair)
	}
	fmt.Fprintf(r.result, "Signing key: %s\nPublic certificate (MOK): %s\n", pair.Key, pair.Cert)
	return nil
}

func (r *run) compression() ko.CompressOptions {
	return ko.CompressOptions{
		Gzip: strings.Join(r.machine.Framework.CompressGzip, " "), Xz: strings.Join(r.machine.Framework.CompressXz, " "), Zstd: strings.Join(r.machine.Framework.CompressZstd, " "),
	}
}
