// Package recipe writes what people keep beside a source of modules: a
// dkms.conf where none is, and the sources of packages (a spec file, a debian/
// directory, a source RPM) for those who build by mock, koji, OBS or sbuild.
//
// What the packages do is decided by srcpkg; here it is only put into the words
// of rpmbuild and debhelper. Nothing is written to disk.
package recipe
