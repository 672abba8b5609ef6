import 'reflect-metadata';

/** The X.509 library; its dependency injection wants the polyfill above to be there first. */
export {
  SubjectAlternativeNameExtension,
  X509Certificate as ParsedCertificate,
  X509Certificates as ParsedBundle,
  X509Crl,
} from '@peculiar/x509';
