package source

import (
	"context"
	"errors"
)

// Read reads the directory dir.
func Read(ctx context.Context, dir string, o Options) (*Description, error) {
	return nil, errors.ErrUnsupported
}

// Schema returns the JSON Schema of dkms-mkpkg.yaml.
func Schema() []byte { return []byte("{}\n") }
