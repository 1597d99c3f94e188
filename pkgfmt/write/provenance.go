package write

// The words of an in-toto Statement, in-toto.io/Statement/v1, with a provenance
// of slsa.dev/provenance/v1, as far as we use them.
type (
	statement struct {
		Type          string     `json:"_type"`
		Subject       []resource `json:"subject"`
		PredicateType string     `json:"predicateType"`
		Predicate     provenance `json:"predicate"`
	}
	resource struct {
		Name        string            `json:"name,omitempty"`
		URI         string            `json:"uri,omitempty"`
		Digest      map[string]string `json:"digest,omitempty"`
		Annotations map[string]string `json:"annotations,omitempty"`
	}
	provenance struct {
		Build buildDefinition `json:"buildDefinition"`
		Run   runDetails      `json:"runDetails"`
	}
	buildDefinition struct {
		Type         string            `json:"buildType"`
		External     map[string]string `json:"externalParameters"`
		Internal     map[string]string `json:"internalParameters,omitempty"`
		Dependencies []resource        `json:"resolvedDependencies,omitempty"`
	}
	runDetails struct {
		Builder builder `json:"builder"`
	}
	builder struct {
		ID      string            `json:"id"`
		Version map[string]string `json:"version,omitempty"`
	}
)

// buildType names what the parameters mean.
const buildType = "https://github.com/dkms-hook/dkms-hook/blob/main/docs/mkpkg.md#provenance"

// provenanceOf tells how a package came about. It has no times: the same source
// gives the same statement.
func provenanceOf(p made, m *Materials) statement {
	external := map[string]string{"format": string(p.p.Format)}
	for name, value := range m.Parameters {
		external[name] = value
	}
	version := map[string]string{m.Builder.name(): m.Builder.Version}
	if m.Builder.Go != "" {
		version["go"] = m.Builder.Go
	}
	return statement{
		Type:          "https://in-toto.io/Statement/v1",
		Subject:       []resource{{Name: p.fileName, Digest: sha256Of(p.sha256)}},
		PredicateType: "https://slsa.dev/provenance/v1",
		Predicate: provenance{
			Build: buildDefinition{Type: buildType, External: external, Dependencies: dependencies(m)},
			Run:   runDetails{Builder: builder{ID: m.Builder.id(), Version: version}},
		},
	}
}

func sha256Of(s string) map[string]string {
	if s == "" {
		return nil
	}
	return map[string]string{"sha256": s}
}

// dependencies are the source, the repository it is from, the kernel and the
// compiler.
func dependencies(m *Materials) []resource {
	var out []resource
	s := m.Source
	if s.Name != "" {
		out = append(out, resource{Name: s.Name + "/" + s.Version, Digest: sha256Of(s.SHA256), Annotations: map[string]string{"kind": "source tree"}})
	}
	if s.Commit != "" {
		r := resource{Name: "git", URI: s.gitURI(), Digest: map[string]string{"gitCommit": s.Commit}, Annotations: map[string]string{}}
		if s.Tag != "" {
			r.Annotations["tag"] = s.Tag
		}
		if s.Dirty {
			r.Annotations["dirty"] = "true"
		}
		out = append(out, r)
	}
	if k := m.Kernel; k != nil {
		about := map[string]string{"kernel": k.Release, "architecture": k.Arch}
		out = append(out,
			resource{Name: "kernel " + k.Release, Annotations: about},
			resource{Name: ".config", Digest: sha256Of(k.Config), Annotations: about},
			resource{Name: "Module.symvers", Digest: sha256Of(k.Symvers), Annotations: about})
		if k.Compiler != "" {
			out = append(out, resource{Name: "compiler", Annotations: map[string]string{"version": k.Compiler}})
		}
	}
	return out
}
