package source

import (
	"net/url"
	"os"
	"path"
	"regexp"
	"strings"
)

var (
	specTag    = regexp.MustCompile(`(?i)^(name|version|summary|license|url|vendor|packager):[ \t]*(.+)$`)
	specDefine = regexp.MustCompile(`^%(?:global|define)[ \t]+([A-Za-z_]\w*)[ \t]+(.+)$`)
	specMacro  = regexp.MustCompile(`%\{\??([A-Za-z_]\w*)\}`)
	specPart   = regexp.MustCompile(`^%(description|package|prep|build|install|check|clean|files|changelog|pre|post|preun|postun|posttrans|pretrans|generate_buildrequires)\b[ \t]*(.*)$`)
)

// specFacts are what the first spec file at the top of the tree says, as far as
// it takes no rpm to tell: macros that it defines itself are replaced, and what
// has others in it is passed over.
func specFacts(root *os.Root) facts {
	f, err := root.Open(".")
	if err != nil {
		return facts{}
	}
	defer f.Close()
	entries, err := f.Readdirnames(maxFiles)
	if err != nil {
		return facts{}
	}
	spec := ""
	for _, name := range entries {
		if path.Ext(name) == ".spec" && (spec == "" || name < spec) {
			spec = name
		}
	}
	if spec == "" {
		return facts{}
	}
	text, err := readSmall(root, spec, maxPackaging)
	if err != nil {
		return facts{}
	}
	return readSpec(strings.ToValidUTF8(string(text), "?"))
}

func readSpec(text string) facts {
	macros, tags := map[string]string{}, map[string]string{}
	expand := func(s string) string {
		return specMacro.ReplaceAllStringFunc(s, func(m string) string {
			if v, ok := macros[strings.ToLower(specMacro.FindStringSubmatch(m)[1])]; ok {
				return v
			}
			return m
		})
	}
	part := ""
	var about []string
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimRight(line, " \t\r")
		if m := specPart.FindStringSubmatch(line); m != nil {
			part = m[1]
			if m[2] != "" {
				part = "of another package"
			}
			continue
		}
		if part == "description" {
			about = append(about, expand(line))
			continue
		}
		if m := specDefine.FindStringSubmatch(line); m != nil && part == "" && len(m[2]) < maxString {
			macros[strings.ToLower(m[1])] = expand(m[2])
		}
		if m := specTag.FindStringSubmatch(line); m != nil && part == "" && len(m[2]) < maxString {
			name, value := strings.ToLower(m[1]), expand(m[2])
			if !strings.Contains(value, "%") && tags[name] == "" && len(value) < maxString {
				tags[name], macros[name] = oneLine(value), oneLine(value)
			}
		}
	}
	f := facts{
		Version: tags["version"], Summary: withoutDKMS(summaryOf(tags["summary"])),
		Homepage: httpURL(tags["url"]), Vendor: tags["vendor"], Maintainer: personOf(tags["packager"]),
	}
	if text := debianText(" " + strings.Join(about, "\n ")); !strings.Contains(text, "%{") {
		f.Description = text
	}
	if e, ok := spdxExpression(tags["license"]); ok {
		f.License = e
	}
	return f
}

// httpURL is s if it is the URL of a page.
func httpURL(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return ""
	}
	return s
}

// gitFacts are what the repository says.
func gitFacts(r *repository, name string) facts {
	if r == nil {
		return facts{}
	}
	return facts{Version: versionOfTag(r.Tag, name), Homepage: webPage(r.Remote)}
}
