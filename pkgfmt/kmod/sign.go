package kmod

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/kbuild"
	"github.com/dkms-hook/dkms-hook/kbuild/ko"
)

// signer returns what signs modules for k; nil when they stay unsigned.
func (w *workshop) signer(k kbuild.Kernel) (*ko.Signer, error) {
	if w.o.Key == (ko.KeyPair{}) {
		return nil, nil
	}
	tools := []string{filepath.Join(k.Source, "scripts", "sign-file")}
	if w.o.SignFile != "" {
		tools = []string{w.o.SignFile}
	}
	s := &ko.Signer{Keys: w.o.Key, Hash: or(k.Config.Value("CONFIG_MODULE_SIG_HASH"), "sha256"), Tools: tools}
	if err := checkKeys(w.o.Key, s.Tool() != ""); err != nil {
		return nil, err
	}
	return s, s.Check()
}

// passphrase is where sign-file takes that of an encrypted key from.
const passphrase = "KBUILD_SIGN_PIN"

// checkKeys reports a pair that cannot sign, as far as we can read it: sign-file
// says little, and late.
func checkKeys(p ko.KeyPair, tool bool) error {
	wrong := func(object, problem, hint string, err error) error {
		return &dkms.Error{Kind: dkms.SigningFailed, Object: object, Problem: problem, Hint: hint, Err: err}
	}
	if strings.HasPrefix(p.Key, "pkcs11:") {
		return nil
	}
	key, err := os.ReadFile(p.Key)
	if err != nil {
		return wrong("--key "+p.Key, "cannot be read", "", system.Cause(err))
	}
	if _, err := os.ReadFile(p.Cert); err != nil {
		return wrong("--cert "+p.Cert, "cannot be read", "", system.Cause(err))
	}
	if tool && bytes.Contains(key, []byte("ENCRYPTED")) {
		if os.Getenv(passphrase) == "" {
			return wrong("--key "+p.Key, "is encrypted", "put its passphrase into "+passphrase, nil)
		}
		return nil
	}
	return (&ko.Signer{Keys: p, Hash: "sha256"}).Check()
}
