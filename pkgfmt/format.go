package pkgfmt

import (
	"fmt"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// A Format is a kind of distribution package; its text is the suffix of files.
type Format string

// The formats. SourceRPM is rpmbuild's input, a spec file with its sources.
const (
	Deb       Format = "deb"
	RPM       Format = "rpm"
	SourceRPM Format = "src.rpm"
)

// ParseFormat returns the format of that name. The error is of Kind Usage.
func ParseFormat(s string) (Format, error) {
	switch f := Format(s); f {
	case Deb, RPM, SourceRPM:
		return f, nil
	}
	return "", &dkms.Error{Kind: dkms.Usage, Object: fmt.Sprintf("%q", s), Problem: "is no format of packages", Hint: "the formats are deb, rpm and src.rpm"}
}
