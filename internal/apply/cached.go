package apply

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/cache"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// cachedFormat changes when the same key would mean other files.
const cachedFormat = "modules 1"

// cached is the place of one build's modules in the store.
type cached struct {
	store      *cache.Store
	key, about string
	anew       bool // nothing is taken from there
}

// cachedFor finds the place of what w makes. All that decides that is in the key:
// the fingerprint, and the symbols of what it is built with.
func cachedFor(store *cache.Store, w Work, anew bool) (kbuild.Cache, error) {
	from := []string{cachedFormat, w.Recipe.Ref.String(), w.From.String()}
	for _, d := range w.Depends {
		hash, err := system.Hash(d.Symvers)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s: %w", d.Symvers, err)
		}
		from = append(from, d.Name+" "+hash)
	}
	sum := sha256.Sum256([]byte(strings.Join(from, "\n")))
	return cached{store, hex.EncodeToString(sum[:]), w.Recipe.Ref.String(), anew}, nil
}

// Get is kbuild.Cache's.
func (c cached) Get(dir string) (bool, error) {
	if c.anew {
		return false, nil
	}
	return c.store.Get(c.key, dir)
}

// Put is kbuild.Cache's.
func (c cached) Put(dir string, names []string) error {
	return c.store.Put(c.key, c.about, dir, names)
}
