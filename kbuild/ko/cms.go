package ko

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"fmt"
)

// oidRSA is rsaEncryption, the only method name for RSA that the kernel's
// PKCS#7 parser takes in a signer (crypto/asymmetric_keys/pkcs7_parser.c).
var oidRSA = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}

// signPKCS7 returns the detached PKCS#7 signature of data as the kernel's
// scripts/sign-file makes it: no content, no certificates, no attributes. It
// is written out here because libraries for general use always embed the
// certificate and know no SHA-224 and SHA-3.
func signPKCS7(data []byte, key crypto.Signer, cert *x509.Certificate, d digest) ([]byte, error) {
	h := d.hash.New()
	h.Write(data)
	signature, err := key.Sign(rand.Reader, h.Sum(nil), d.hash)
	if err != nil {
		return nil, err
	}
	var method pkix.AlgorithmIdentifier
	switch key.Public().(type) {
	case *rsa.PublicKey:
		method = pkix.AlgorithmIdentifier{Algorithm: oidRSA, Parameters: asn1.NullRawValue}
	case *ecdsa.PublicKey:
		method = pkix.AlgorithmIdentifier{Algorithm: d.ecdsa}
	default:
		return nil, fmt.Errorf("its type is %T, not RSA or EC", key.Public())
	}
	id, err := asn1.Marshal(issuerAndSerial{Issuer: asn1.RawValue{FullBytes: cert.RawIssuer}, Serial: cert.SerialNumber})
	if err != nil {
		return nil, err
	}
	hash := pkix.AlgorithmIdentifier{Algorithm: d.oid}
	inner, err := asn1.Marshal(signedData{
		Version:          1,
		DigestAlgorithms: []pkix.AlgorithmIdentifier{hash},
		Content:          contentInfo{Type: oidData},
		Signers: []signerInfo{{
			Version: 1, ID: asn1.RawValue{FullBytes: id}, Digest: hash,
			SignatureMethod: method, Signature: signature,
		}},
	})
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(contentInfo{
		Type:    oidSignedData,
		Content: asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: inner},
	})
}

// appendSignature returns module, PKCS#7 block, struct module_signature and
// magic in one.
func appendSignature(module, block []byte) []byte {
	var trailer [trailerSize]byte
	trailer[2] = idPKCS7
	binary.BigEndian.PutUint32(trailer[8:], uint32(len(block)))
	out := make([]byte, 0, len(module)+len(block)+trailerSize+len(magic))
	out = append(out, module...)
	out = append(out, block...)
	out = append(out, trailer[:]...)
	return append(out, magic...)
}
