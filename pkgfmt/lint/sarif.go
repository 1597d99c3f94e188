package lint

import (
	"io"
	"net/url"
	"path/filepath"
	"slices"
)

// The parts of SARIF 2.1.0 that findings need, by the names of the
// specification (OASIS, Static Analysis Results Interchange Format, section 3).
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		Results    []sarifResult `json:"results"`
		ColumnKind string        `json:"columnKind"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID            string       `json:"id"`
		Short         sarifMessage `json:"shortDescription"`
		Help          sarifMessage `json:"help"`
		Configuration sarifConfig  `json:"defaultConfiguration"`
	}
	sarifConfig struct {
		Level string `json:"level"`
	}
	sarifMessage struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     string          `json:"level"`
		Message   sarifMessage    `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
)

// WriteSARIF writes findings as a SARIF 2.1.0 log with one run. Levels are the
// severities, which have the same names.
func WriteSARIF(w io.Writer, findings []Finding) error {
	driver := sarifDriver{Name: "dkms-mkpkg", InformationURI: "https://github.com/dkms-hook/dkms-hook"}
	rules := Rules()
	for _, r := range rules {
		help := r.Hint
		if help == "" {
			help = r.Text
		}
		driver.Rules = append(driver.Rules, sarifRule{ID: r.Name, Short: sarifMessage{r.Text}, Help: sarifMessage{help}, Configuration: sarifConfig{string(r.Severity)}})
	}
	results := []sarifResult{}
	for _, f := range findings {
		text := f.Text
		if f.Hint != "" {
			text += "\n" + f.Hint
		}
		physical := sarifPhysical{Artifact: sarifArtifact{fileURI(f.File)}}
		if f.Line > 0 {
			physical.Region = &sarifRegion{StartLine: f.Line}
		}
		results = append(results, sarifResult{
			RuleID: f.Rule, RuleIndex: slices.IndexFunc(rules, func(r Rule) bool { return r.Name == f.Rule }),
			Level: string(f.Severity), Message: sarifMessage{text}, Locations: []sarifLocation{{physical}},
		})
	}
	return indented(w, sarifLog{
		Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0",
		Runs: []sarifRun{{Tool: sarifTool{driver}, Results: results, ColumnKind: "unicodeCodePoints"}},
	})
}

// fileURI is a path as a URI reference (RFC 3986): a relative one stays relative.
func fileURI(path string) string {
	u := url.URL{Path: filepath.ToSlash(path)}
	if filepath.IsAbs(path) {
		u.Scheme = "file"
	}
	return u.String()
}
