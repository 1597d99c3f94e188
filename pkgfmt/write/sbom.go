package write

import (
	"crypto/sha1" // as SPDX 2.3 defines it
	"encoding/hex"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// The words of SPDX 2.3 in JSON, spdx.github.io/spdx-spec/v2.3, as far as we
// use them.
type (
	spdxDocument struct {
		Version       string             `json:"spdxVersion"`
		DataLicense   string             `json:"dataLicense"`
		ID            string             `json:"SPDXID"`
		Name          string             `json:"name"`
		Namespace     string             `json:"documentNamespace"`
		Creation      spdxCreation       `json:"creationInfo"`
		Packages      []spdxPackage      `json:"packages"`
		Files         []spdxFile         `json:"files,omitempty"`
		Relationships []spdxRelationship `json:"relationships"`
	}
	spdxCreation struct {
		Created  string   `json:"created"`
		Creators []string `json:"creators"`
	}
	spdxPackage struct {
		ID               string         `json:"SPDXID"`
		Name             string         `json:"name"`
		Version          string         `json:"versionInfo,omitempty"`
		FileName         string         `json:"packageFileName,omitempty"`
		Supplier         string         `json:"supplier,omitempty"`
		Download         string         `json:"downloadLocation"`
		FilesAnalyzed    bool           `json:"filesAnalyzed"`
		Verification     *spdxCode      `json:"packageVerificationCode,omitempty"`
		Checksums        []spdxChecksum `json:"checksums,omitempty"`
		Homepage         string         `json:"homepage,omitempty"`
		LicenseConcluded string         `json:"licenseConcluded"`
		LicenseDeclared  string         `json:"licenseDeclared"`
		Copyright        string         `json:"copyrightText"`
		Summary          string         `json:"summary,omitempty"`
		Comment          string         `json:"comment,omitempty"`
		References       []spdxRef      `json:"externalRefs,omitempty"`
		Purpose          string         `json:"primaryPackagePurpose,omitempty"`
	}
	spdxCode struct {
		Value string `json:"packageVerificationCodeValue"`
	}
	spdxChecksum struct {
		Algorithm string `json:"algorithm"`
		Value     string `json:"checksumValue"`
	}
	spdxRef struct {
		Category string `json:"referenceCategory"`
		Type     string `json:"referenceType"`
		Locator  string `json:"referenceLocator"`
	}
	spdxFile struct {
		ID               string         `json:"SPDXID"`
		Name             string         `json:"fileName"`
		Checksums        []spdxChecksum `json:"checksums"`
		LicenseConcluded string         `json:"licenseConcluded"`
		Copyright        string         `json:"copyrightText"`
	}
	spdxRelationship struct {
		From string `json:"spdxElementId"`
		Type string `json:"relationshipType"`
		To   string `json:"relatedSpdxElement"`
	}
)

const (
	noAssertion  = "NOASSERTION"
	spdxOfDoc    = "SPDXRef-DOCUMENT"
	spdxOfOurs   = "SPDXRef-Package"
	spdxOfSource = "SPDXRef-Source"
	spdxOfKernel = "SPDXRef-Kernel"
)

// sbom tells what is in a package, and what it was made from.
func sbom(p made, m *Materials) spdxDocument {
	doc := spdxDocument{
		Version: "SPDX-2.3", DataLicense: "CC0-1.0", ID: spdxOfDoc, Name: p.fileName,
		// It must be unique, and the same again for the same package.
		Namespace: "https://spdx.org/spdxdocs/" + url.PathEscape(p.fileName) + "-" + p.sha256,
		Creation: spdxCreation{
			Created:  p.p.Time.UTC().Format(time.RFC3339),
			Creators: []string{"Tool: " + m.Builder.name() + "-" + m.Builder.Version},
		},
		Packages: []spdxPackage{ourPackage(p)},
	}
	relate := func(from, kind, to string) {
		doc.Relationships = append(doc.Relationships, spdxRelationship{from, kind, to})
	}
	relate(spdxOfDoc, "DESCRIBES", spdxOfOurs)
	if m.Source.Name != "" {
		doc.Packages = append(doc.Packages, sourcePackage(m.Source, p.p.License))
		relate(spdxOfOurs, "GENERATED_FROM", spdxOfSource)
	}
	if m.Kernel != nil {
		doc.Packages = append(doc.Packages, spdxPackage{
			ID: spdxOfKernel, Name: "linux", Version: m.Kernel.Release, Download: noAssertion,
			LicenseConcluded: noAssertion, LicenseDeclared: noAssertion, Copyright: noAssertion,
			Comment: words("architecture", m.Kernel.Arch, "SHA-256 of .config", m.Kernel.Config,
				"SHA-256 of Module.symvers", m.Kernel.Symvers, "compiler", m.Kernel.Compiler),
		})
		relate(spdxOfKernel, "BUILD_DEPENDENCY_OF", spdxOfOurs)
	}
	for i, r := range p.records {
		id := fmt.Sprintf("SPDXRef-File-%d", i+1)
		doc.Files = append(doc.Files, spdxFile{
			ID: id, Name: "./" + strings.TrimPrefix(r.path, "/"), LicenseConcluded: noAssertion, Copyright: noAssertion,
			Checksums: []spdxChecksum{{"SHA1", r.sha1}, {"SHA256", r.sha256}},
		})
		relate(spdxOfOurs, "CONTAINS", id)
	}
	return doc
}

func ourPackage(p made) spdxPackage {
	out := spdxPackage{
		ID: spdxOfOurs, Name: p.p.Name, Version: versionOf(p.p.Version), FileName: p.fileName, Supplier: supplier(p.p.Maintainer),
		Download: noAssertion, Checksums: []spdxChecksum{{"SHA256", p.sha256}}, Homepage: p.p.Homepage,
		LicenseConcluded: noAssertion, LicenseDeclared: declared(p.p.License), Copyright: noAssertion, Summary: p.p.Summary,
		References: []spdxRef{{"PACKAGE-MANAGER", "purl", p.purl()}}, Purpose: "INSTALL",
	}
	if len(p.records) > 0 {
		out.FilesAnalyzed = true
		out.Verification = &spdxCode{verificationCode(p.records)}
	}
	return out
}

func sourcePackage(s SourceMaterial, license string) spdxPackage {
	out := spdxPackage{
		ID: spdxOfSource, Name: s.Name, Version: s.Version, Download: noAssertion, Purpose: "SOURCE",
		LicenseConcluded: noAssertion, LicenseDeclared: declared(license), Copyright: noAssertion,
		Comment: words("SHA-256 of names, modes and contents", s.SHA256, "tag", s.Tag),
	}
	if at := s.gitURI(); at != "" {
		out.Download = at
	}
	if s.Dirty {
		out.Comment += "; changed since the commit"
	}
	return out
}

// gitURI is where the source can be had, in the words of SPDX 7.7 and of in-toto.
func (s SourceMaterial) gitURI() string {
	u, err := url.Parse(s.Repository)
	if err != nil || s.Repository == "" || u.Scheme == "" || u.Host == "" {
		return ""
	}
	u.User = nil // nobody's name or token
	if s.Commit == "" {
		return "git+" + u.String()
	}
	return "git+" + u.String() + "@" + s.Commit
}

// words are pairs of a name and a value, without those that have none.
func words(pairs ...string) string {
	var out []string
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			out = append(out, pairs[i]+": "+pairs[i+1])
		}
	}
	return strings.Join(out, "; ")
}

// verificationCode is SPDX 7.9: over the SHA-1 of all files, sorted.
func verificationCode(records []record) string {
	var sums []string
	for _, r := range records {
		sums = append(sums, r.sha1)
	}
	slices.Sort(sums)
	sum := sha1.Sum([]byte(strings.Join(sums, "")))
	return hex.EncodeToString(sum[:])
}

var expression = regexp.MustCompile(`^[A-Za-z0-9.+() :-]+$`)

// declared is a licence where it can be an expression of SPDX.
func declared(license string) string {
	if !expression.MatchString(license) {
		return noAssertion
	}
	return license
}

var nameAndAddress = regexp.MustCompile(`^([^<>]+) <([^<>]+)>$`)

// supplier is a maintainer in the words of SPDX 7.5.
func supplier(maintainer string) string {
	if m := nameAndAddress.FindStringSubmatch(maintainer); m != nil {
		return "Person: " + m[1] + " (" + m[2] + ")"
	}
	return noAssertion
}

// purlEscaped is percent-encoded as purl-spec wants it.
func purlEscaped(s string) string {
	return strings.NewReplacer("+", "%2B", ":", "%3A", "^", "%5E").Replace(s)
}
