package write

import (
	"path"
	"strings"

	"github.com/google/rpmpack"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// Tags of rpmtag.h that rpmpack does not know, or not as we need them.
const (
	tagSize              = 1009
	tagSource            = 1018
	tagPatch             = 1019
	tagFileSizes         = 1028
	tagFileDigests       = 1035
	tagFileFlags         = 1037
	tagSourceRPM         = 1044
	tagChangelogTime     = 1080
	tagChangelogName     = 1081
	tagChangelogText     = 1082
	tagSourcePackage     = 1106
	tagPayloadCompressor = 1125
	tagPayloadFlags      = 1126
	tagSupplementName    = 5052
	tagEnhanceName       = 5055
	tagEncoding          = 5062
	tagPayloadDigest     = 5092

	tagTransFileTriggerScripts    = 5076
	tagTransFileTriggerScriptProg = 5077
	tagTransFileTriggerName       = 5079
	tagTransFileTriggerIndex      = 5080
	tagTransFileTriggerVersion    = 5081
	tagTransFileTriggerFlags      = 5082
	tagTransFileTriggerPriorities = 5085

	fileSpec = 1 << 5 // rpmfiles.h
)

// addTags adds what rpmpack does not know, and puts right what it says of files
// that it was given as ghosts.
func addTags(r *rpmpack.RPM, p pkgfmt.Package, facts rpmFacts, data *payload) {
	tag := r.AddCustomTag
	tag(tagEncoding, rpmpack.EntryString("utf-8"))
	tag(tagSize, rpmpack.EntryUint32([]uint32{facts.total}))
	tag(tagPayloadCompressor, rpmpack.EntryString(p.Compression.Algorithm))
	tag(tagPayloadFlags, rpmpack.EntryString(levelWord(p.Compression)))
	tag(tagPayloadDigest, rpmpack.EntryStringSlice([]string{data.sha256}))
	if len(p.Files) > 0 {
		tag(tagFileSizes, rpmpack.EntryUint32(facts.sizes))
		tag(tagFileDigests, rpmpack.EntryStringSlice(facts.digests))
		tag(tagFileFlags, rpmpack.EntryUint32(facts.flags))
	}
	addWeak(r, tagSupplementName, p.Relations.Supplements)
	addWeak(r, tagEnhanceName, p.Relations.Enhances)
	addFileTriggers(r, p.FileTriggers)
	addChanges(r, p.Changes)
	if p.Format == pkgfmt.SourceRPM {
		addSources(r, p.Files)
	}
}

// addWeak adds relations that rpmpack does not know; the tags of versions and
// of flags follow that of the names.
func addWeak(r *rpmpack.RPM, names int, words []string) {
	list, err := rpmRelations(words, 0) // checked before
	if err != nil || len(list) == 0 {
		return
	}
	var name, version []string
	var flags []uint32
	for _, d := range list {
		name, version, flags = append(name, d.Name), append(version, d.Version), append(flags, uint32(d.Sense))
	}
	r.AddCustomTag(names, rpmpack.EntryStringSlice(name))
	r.AddCustomTag(names+1, rpmpack.EntryStringSlice(version))
	r.AddCustomTag(names+2, rpmpack.EntryUint32(flags))
}

// triggerSenses are rpmds.h's words for the occasions.
var triggerSenses = map[pkgfmt.TriggerOn]int32{
	pkgfmt.OnInstall: 1 << 16, pkgfmt.OnRemoval: 1 << 17, pkgfmt.AfterRemoval: 1 << 18,
}

// addFileTriggers adds %transfiletriggerin, -un and -postun -- PREFIX…,
// rpm-scriptlets(7).
func addFileTriggers(r *rpmpack.RPM, triggers []pkgfmt.FileTrigger) {
	const priority = 1000000 // rpmbuild's
	if len(triggers) == 0 {
		return
	}
	var scripts, programs, names, versions []string
	var index, flags, priorities []int32
	for i, t := range triggers {
		scripts, programs, priorities = append(scripts, t.Script), append(programs, "/bin/sh"), append(priorities, priority)
		for _, prefix := range t.Prefixes {
			names, versions = append(names, prefix), append(versions, "")
			index, flags = append(index, int32(i)), append(flags, triggerSenses[t.On])
		}
	}
	r.AddCustomTag(tagTransFileTriggerScripts, rpmpack.EntryStringSlice(scripts))
	r.AddCustomTag(tagTransFileTriggerScriptProg, rpmpack.EntryStringSlice(programs))
	r.AddCustomTag(tagTransFileTriggerName, rpmpack.EntryStringSlice(names))
	r.AddCustomTag(tagTransFileTriggerIndex, rpmpack.EntryInt32(index))
	r.AddCustomTag(tagTransFileTriggerVersion, rpmpack.EntryStringSlice(versions))
	r.AddCustomTag(tagTransFileTriggerFlags, rpmpack.EntryInt32(flags))
	r.AddCustomTag(tagTransFileTriggerPriorities, rpmpack.EntryInt32(priorities))
}

// addChanges adds %changelog.
func addChanges(r *rpmpack.RPM, changes []pkgfmt.Change) {
	if len(changes) == 0 {
		return
	}
	var times []int32
	var names, texts []string
	for _, c := range changes {
		name, text := rpmChange(c)
		times, names, texts = append(times, int32(c.Time.Unix())), append(names, name), append(texts, text)
	}
	r.AddCustomTag(tagChangelogTime, rpmpack.EntryInt32(times))
	r.AddCustomTag(tagChangelogName, rpmpack.EntryStringSlice(names))
	r.AddCustomTag(tagChangelogText, rpmpack.EntryStringSlice(texts))
}

// addSources says of a source package that it is one, and which of its files
// are patches; the spec file is neither.
func addSources(r *rpmpack.RPM, files []pkgfmt.File) {
	var sources, patches []string
	for _, f := range files {
		switch path.Ext(f.Path) {
		case ".patch", ".diff":
			patches = append(patches, f.Path)
		default:
			if !isSpec(f) {
				sources = append(sources, f.Path)
			}
		}
	}
	r.AddCustomTag(tagSourcePackage, rpmpack.EntryInt32([]int32{1}))
	if len(sources) > 0 {
		r.AddCustomTag(tagSource, rpmpack.EntryStringSlice(sources))
	}
	if len(patches) > 0 {
		r.AddCustomTag(tagPatch, rpmpack.EntryStringSlice(patches))
	}
}

func isSpec(f pkgfmt.File) bool { return strings.HasSuffix(f.Path, ".spec") }
