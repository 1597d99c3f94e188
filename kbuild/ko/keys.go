package ko

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// KeyPair says where the key that signs modules is, and its certificate.
type KeyPair struct {
	// Key is a file with a private key in PEM, or a pkcs11: URI (RFC 7512).
	Key string
	// Cert is the X.509 certificate, in DER or in PEM.
	Cert string
}

// pkcs11 reports whether the key is in a token, where only sign-file gets.
func (p KeyPair) pkcs11() bool { return strings.HasPrefix(p.Key, "pkcs11:") }

// Ensure checks that both halves of the pair are there and, when neither is
// and create is set, makes them: RSA 2048 and a self-signed certificate for
// signing modules. One half alone is an error, of Kind SigningFailed like all
// others, and never replaced. A key in a token is never made.
//
// A crash between the two files leaves the certificate beside its place, with
// the suffix .new, and the next call puts it there. The caller holds the
// tree's lock, so that no other process makes a pair meanwhile.
func Ensure(p KeyPair, create bool) (created bool, err error) {
	key, err := p.keyPresent()
	if err != nil {
		return false, err
	}
	cert, err := present(p.Cert)
	if err != nil {
		return false, err
	}
	switch {
	case key && cert:
		return false, nil
	case p.pkcs11():
		return false, signingError(p.Cert, "certificate of the key in the token is missing", "set mok_certificate in /etc/dkms/framework.conf to its file", nil)
	case key && p.finish():
		return true, nil
	case key:
		return false, signingError(p.Cert, "certificate is missing, but its key "+p.Key+" exists", "restore the certificate, or move the key away to have a new pair made", nil)
	case cert:
		return false, signingError(p.Key, "key is missing, but its certificate "+p.Cert+" exists", "restore the key, or move the certificate away to have a new pair made", nil)
	case !create:
		return false, signingError(p.Key, "key and certificate "+p.Cert+" are missing", "make them by generate_mok", nil)
	}
	if err := p.generate(); err != nil {
		return false, signingError(p.Key, "key pair could not be made", "", err)
	}
	return true, nil
}

func signingError(object, problem, hint string, err error) error {
	return &dkms.Error{Kind: dkms.SigningFailed, Object: object, Problem: problem, Hint: hint, Err: err}
}

func (p KeyPair) keyPresent() (bool, error) {
	if p.pkcs11() {
		return true, nil
	}
	return present(p.Key)
}

// present tells whether path is a file; anything else that stands there, a
// dangling link included, is an error, because a new pair would replace it.
func present(path string) (bool, error) {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.Mode().IsRegular():
		return true, nil
	case err == nil:
		return false, signingError(path, "is no regular file", "", nil)
	case errors.Is(err, fs.ErrNotExist) && !system.Exists(path):
		return false, nil
	case errors.Is(err, fs.ErrNotExist):
		return false, signingError(path, "is a dangling link", "", nil)
	}
	return false, signingError(path, "cannot be looked at", "", err)
}

// pending is where the certificate waits until the key is in place.
func (p KeyPair) pending() string { return p.Cert + ".new" }

// finish completes a generate that was cut off after the key.
func (p KeyPair) finish() bool {
	if ok, err := present(p.pending()); err != nil || !ok {
		return false
	}
	if _, _, err := (KeyPair{Key: p.Key, Cert: p.pending()}).load(); err != nil {
		return false
	}
	return system.Rename(p.pending(), p.Cert) == nil
}

func (p KeyPair) generate() error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	cert, err := selfSigned(key)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	for _, path := range []string{p.Key, p.Cert} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
	}
	if err := system.WriteFile(p.pending(), cert, 0o644); err != nil {
		return err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if err := system.WriteFile(p.Key, text, 0o600); err != nil {
		_ = os.Remove(p.pending())
		return err
	}
	return system.Rename(p.pending(), p.Cert)
}

// validity is 100 years: the kernel does not look at it, but mokutil and shim
// may.
const validity = 36500 * 24 * time.Hour

// oidModuleSigning is the extended key usage that tells shim to trust the key
// for modules only, not for boot loaders and kernels.
var oidModuleSigning = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 2312, 16, 1, 2}

// selfSigned returns a certificate in DER like that of the kernel's own
// signing key (certs/default_x509.genkey), with shim's limits added.
func selfSigned(key *rsa.PrivateKey) ([]byte, error) {
	// 159 bits: positive, and never more than the 20 bytes of RFC 5280.
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 159))
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          serial.Add(serial, big.NewInt(1)),
		Subject:               pkix.Name{CommonName: "DKMS module signing key"},
		NotBefore:             now,
		NotAfter:              now.Add(validity),
		SignatureAlgorithm:    x509.SHA256WithRSA,
		BasicConstraintsValid: true, // CA:FALSE
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
		UnknownExtKeyUsage:    []asn1.ObjectIdentifier{oidModuleSigning},
	}
	// RFC 5280, 4.2.1.2, method (1); the kernel names the key by it.
	id := sha1.Sum(x509.MarshalPKCS1PublicKey(&key.PublicKey))
	template.SubjectKeyId, template.AuthorityKeyId = id[:], id[:]
	return x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
}

// load reads both halves and checks that they belong together.
func (p KeyPair) load() (crypto.Signer, *x509.Certificate, error) {
	key, err := loadKey(p.Key)
	if err != nil {
		return nil, nil, err
	}
	cert, err := loadCert(p.Cert)
	if err != nil {
		return nil, nil, err
	}
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(cert.PublicKey) {
		return nil, nil, signingError(p.Cert, "is not the certificate of the key "+p.Key, "", nil)
	}
	return key, cert, nil
}

func loadKey(path string) (crypto.Signer, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, signingError(path, "key cannot be read", "", err)
	}
	block, rest := pem.Decode(data)
	for block != nil && !strings.HasSuffix(block.Type, "PRIVATE KEY") {
		block, rest = pem.Decode(rest)
	}
	if block == nil {
		return nil, signingError(path, "holds no private key in PEM", "", nil)
	}
	if block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
		return nil, signingError(path, "key is encrypted, and there is no sign-file to open it",
			"install the kernel headers that have scripts/sign-file, or set sign_file in /etc/dkms/framework.conf; its passphrase goes into KBUILD_SIGN_PIN", nil)
	}
	key, err := parseKey(block)
	if err != nil {
		return nil, signingError(path, "key cannot be read", "", err)
	}
	return key, nil
}

func parseKey(block *pem.Block) (crypto.Signer, error) {
	switch block.Type {
	case "RSA PRIVATE KEY":
		return x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		return x509.ParseECPrivateKey(block.Bytes)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("its type is %T, which signs nothing", key)
	}
	return signer, nil
}

// loadCert reads DER or PEM, as sign-file does.
func loadCert(path string) (*x509.Certificate, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, signingError(path, "certificate cannot be read", "", err)
	}
	if block, _ := pem.Decode(data); block != nil {
		data = block.Bytes
	}
	cert, err := x509.ParseCertificate(data)
	if err != nil {
		return nil, signingError(path, "is no certificate in DER or PEM", "", err)
	}
	return cert, nil
}

// Certificate returns the pair's certificate, as for naming it to mokutil.
func (p KeyPair) Certificate() (*x509.Certificate, error) { return loadCert(p.Cert) }
