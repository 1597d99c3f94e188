package write

import (
	"bytes"
	"crypto"
	"errors"
	"io"
	"os"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// PassphraseVariable is the environment variable that the passphrase of a Key
// is taken from by convention; ReadKey does not look at it.
const PassphraseVariable = "DKMS_MKPKG_PASSPHRASE"

// A Key signs packages with OpenPGP.
type Key struct {
	entity *openpgp.Entity
	// since is when the newest part of the key was made: nothing is signed
	// before.
	since time.Time
}

// ReadKey reads the private key of OpenPGP in a file, armored or not, as
// gpg --export-secret-keys writes it. The file must hold one key that can sign.
func ReadKey(path, passphrase string) (*Key, error) {
	fail := func(problem, hint string, err error) (*Key, error) {
		return nil, &dkms.Error{Kind: dkms.SigningFailed, Object: path, Problem: problem, Hint: hint, Err: system.Cause(err)}
	}
	f, err := os.Open(path)
	if err != nil {
		return fail("cannot be read", "", err)
	}
	defer f.Close()
	const most = 1 << 20
	text, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return fail("cannot be read", "", err)
	}
	read := openpgp.ReadKeyRing
	if bytes.Contains(text, []byte("-----BEGIN PGP")) {
		read = openpgp.ReadArmoredKeyRing
	}
	ring, err := read(bytes.NewReader(text))
	if err != nil {
		return fail("is no key of OpenPGP", "gpg --armor --export-secret-keys KEY >FILE writes one", err)
	}
	var keys []*openpgp.Entity
	for _, e := range ring {
		if e.PrivateKey != nil {
			keys = append(keys, e)
		}
	}
	if len(keys) != 1 {
		return fail("does not hold one private key", "gpg --armor --export-secret-keys KEY >FILE writes one", nil)
	}
	if err := unlock(keys[0], passphrase); err != nil {
		return fail("cannot be unlocked", "the passphrase is taken from "+PassphraseVariable, err)
	}
	if _, ok := keys[0].SigningKey(time.Now()); !ok {
		return fail("cannot sign, or no longer", "", nil)
	}
	return &Key{entity: keys[0], since: madeAt(keys[0])}, nil
}

func unlock(e *openpgp.Entity, passphrase string) error {
	if !e.PrivateKey.Encrypted && !anyEncrypted(e.Subkeys) {
		return nil
	}
	if passphrase == "" {
		return errors.New("it needs a passphrase")
	}
	return e.DecryptPrivateKeys([]byte(passphrase))
}

func anyEncrypted(keys []openpgp.Subkey) bool {
	for _, k := range keys {
		if k.PrivateKey != nil && k.PrivateKey.Encrypted {
			return true
		}
	}
	return false
}

// madeAt is when the newest part of a key was made or told.
func madeAt(e *openpgp.Entity) time.Time {
	newest := e.PrimaryKey.CreationTime
	for _, k := range e.Subkeys {
		for _, t := range []time.Time{k.PublicKey.CreationTime, k.Sig.CreationTime} {
			if t.After(newest) {
				newest = t
			}
		}
	}
	for _, i := range e.Identities {
		if i.SelfSignature != nil && i.SelfSignature.CreationTime.After(newest) {
			newest = i.SelfSignature.CreationTime
		}
	}
	return newest
}

// config makes signatures that depend on nothing but what is signed, the key
// and the time of the package: that time, or the key's where it is newer.
func (k *Key) config(when time.Time) *packet.Config {
	if when.Before(k.since) {
		when = k.since
	}
	no := false
	return &packet.Config{
		DefaultHash: crypto.SHA256, Time: func() time.Time { return when },
		NonDeterministicSignaturesViaNotation: &no,
	}
}

// detached returns a signature of what r has.
func (k *Key) detached(when time.Time, r io.Reader) ([]byte, error) {
	var b bytes.Buffer
	if err := openpgp.DetachSign(&b, k.entity, r, k.config(when)); err != nil {
		return nil, &dkms.Error{Kind: dkms.SigningFailed, Object: "package", Problem: "cannot be signed", Err: err}
	}
	return b.Bytes(), nil
}

// debsig is the member _gpgorigin of a signed .deb, as debsigs(1) makes it:
// over all members before it. dpkg does not look at it; debsig-verify(1) does.
// It is nil without a key.
func (k *Key) debsig(when time.Time, r io.Reader) ([]byte, error) {
	if k == nil {
		return nil, nil
	}
	signature, err := k.detached(when, r)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w, err := armor.Encode(&b, openpgp.SignatureType, nil)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(signature); err != nil {
		return nil, err
	}
	err = w.Close()
	return b.Bytes(), err
}

// Tags of signatures, rpmtag.h: by RSA, and by everything else, of the header
// alone, and of header and payload, for rpm before 4.14.
const (
	sigDSA = 267
	sigRSA = 268
	sigPGP = 1002
	sigGPG = 1005
)

// rpmEntries are the signatures of an RPM; there are none without a key.
// rpmpack would take a signer, but wants header and payload in memory for it.
func (k *Key) rpmEntries(when time.Time, header []byte, data *payload) ([]entry, error) {
	if k == nil {
		return nil, nil
	}
	ofHeader, ofAll := int32(sigDSA), int32(sigGPG)
	if signing, ok := k.entity.SigningKey(k.config(when).Now()); ok && signing.PrivateKey.PubKeyAlgo == packet.PubKeyAlgoRSA {
		ofHeader, ofAll = sigRSA, sigPGP
	}
	one, err := k.detached(when, bytes.NewReader(header))
	if err != nil {
		return nil, err
	}
	all, err := k.detached(when, io.MultiReader(bytes.NewReader(header), data.reader()))
	if err != nil {
		return nil, err
	}
	return []entry{
		{tag: ofHeader, kind: typeBinary, count: int32(len(one)), data: one},
		{tag: ofAll, kind: typeBinary, count: int32(len(all)), data: all},
	}, nil
}
