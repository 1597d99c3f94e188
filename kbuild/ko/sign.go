package ko

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/dkms-hook/dkms-hook/internal/system"
)

// Signer signs modules for one kernel.
type Signer struct {
	// Keys is the pair to sign with; Ensure has been asked before.
	Keys KeyPair
	// Hash is CONFIG_MODULE_SIG_HASH of the kernel, such as sha256.
	Hash string
	// Tools are sign-file programs (of the kernel's headers, of
	// framework.conf's sign_file); the first that can be executed signs.
	// Without one the signature is made in-process.
	Tools []string
	// Env is the complete environment of the tool; nil is ours. sign-file
	// takes the key's passphrase or PIN from KBUILD_SIGN_PIN.
	Env []string
}

// Tool returns the sign-file program that will be used; empty means none.
func (s *Signer) Tool() string {
	for _, t := range s.Tools {
		if t != "" && system.Executable(t) {
			return t
		}
	}
	return ""
}

// Check reports what will keep SignFile from working, before anything is
// built: a *dkms.Error of Kind SigningFailed.
func (s *Signer) Check() error {
	if s.Hash == "" {
		return signingError("CONFIG_MODULE_SIG_HASH", "is not set: the kernel has no signed modules", "", nil)
	}
	if _, err := Ensure(s.Keys, false); err != nil {
		return err
	}
	if s.Tool() != "" {
		return nil
	}
	_, err := s.inProcess()
	return err
}

// SignFile signs the uncompressed module at path, in place, replacing a
// signature that it has. The result is what the kernel's scripts/sign-file
// makes. Errors are of Kind SigningFailed.
func (s *Signer) SignFile(ctx context.Context, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return signingError(filepath.Base(path), "is not signed", "", err)
	}
	data, err := readFile(path, MaxSize)
	if err != nil {
		return signingError(filepath.Base(path), "is not signed", "", err)
	}
	if how := formatOf(data); how != plain {
		return signingError(filepath.Base(path), "is compressed by "+string(how)+"; a module is signed before that", "", nil)
	}
	module := Unsigned(data)
	if tool := s.Tool(); tool != "" {
		err := s.byTool(ctx, tool, path, module, len(module) != len(data), info.Mode().Perm())
		if !errors.Is(err, errToolUnusable) {
			return err
		}
	}
	sign, err := s.inProcess()
	if err != nil {
		return err
	}
	signed, err := sign(module)
	if err != nil {
		return signingError(filepath.Base(path), "is not signed", "", err)
	}
	if err := system.WriteFile(path, signed, info.Mode().Perm()); err != nil {
		return signingError(filepath.Base(path), "is not signed", "", err)
	}
	return nil
}

// errToolUnusable says that the program could not run at all: it is for
// another processor (headers copied from another machine), or lacks a library.
var errToolUnusable = errors.New("cannot be run here")

func (s *Signer) byTool(ctx context.Context, tool, path string, module []byte, signed bool, mode fs.FileMode) error {
	name := filepath.Base(path)
	if signed { // sign-file would sign the old signature as part of the module
		if err := system.WriteFile(path, module, mode); err != nil {
			return signingError(name, "is not signed", "", err)
		}
	}
	out := &tail{}
	err := system.Run(ctx, system.Command{Args: []string{tool, s.Hash, s.Keys.Key, s.Keys.Cert, path}, Env: s.Env, Stdout: out, Stderr: out})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if unusable(err) && !s.Keys.pkcs11() {
		return errToolUnusable
	}
	if err != nil {
		return signingError(name, "is not signed", "", out.explain(err))
	}
	after, err := readFile(path, MaxSize)
	if err != nil {
		return signingError(name, "is not signed", "", err)
	}
	if body, sig := splitSignature(after); sig == nil || !bytes.Equal(body, module) {
		return signingError(name, "is not signed, although "+tool+" reported success", "", nil)
	}
	return os.Chmod(path, mode)
}

// unusable tells a program that could not start from one that failed: status
// 126 and 127 are the shell's and the dynamic linker's.
func unusable(err error) bool {
	if errors.Is(err, syscall.ENOEXEC) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, exec.ErrNotFound) {
		return true
	}
	var exit *system.ExitError
	return errors.As(err, &exit) && exit.Signal == 0 && (exit.Status == 126 || exit.Status == 127)
}

// inProcess returns a function that signs with the pair's key.
func (s *Signer) inProcess() (func(module []byte) ([]byte, error), error) {
	const hint = "install the kernel headers that have scripts/sign-file, or set sign_file in /etc/dkms/framework.conf"
	if s.Keys.pkcs11() {
		return nil, signingError(s.Keys.Key, "a key in a token needs the program sign-file, which is not there", hint, nil)
	}
	d, ok := digestOf(s.Hash)
	if !ok {
		return nil, signingError("CONFIG_MODULE_SIG_HASH", "hash "+s.Hash+" is only made by sign-file, which is not there", hint, nil)
	}
	key, cert, err := s.Keys.load()
	if err != nil {
		return nil, err
	}
	return func(module []byte) ([]byte, error) {
		block, err := signPKCS7(module, key, cert, d)
		if err != nil {
			return nil, signingError(s.Keys.Key, "key does not sign", "", err)
		}
		return appendSignature(module, block), nil
	}, nil
}
