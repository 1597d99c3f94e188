// Package conf reads dkms.conf and framework.conf.
//
// A dkms.conf is a fragment of bash. It is evaluated in this process, by
// mvdan.cc/sh, with handlers as the wall between it and the machine; then
// decoded into typed values, validated (all problems at once, with file and
// line), and resolved for one kernel into a kbuild.Recipe. dkms(8), section
// DKMS.CONF, and docs/dkms-conf.md describe the format.
//
// The package builds nothing, writes nothing, and knows nothing of what is
// installed.
package conf
