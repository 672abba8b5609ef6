import type { ListenerSpec } from '../../protocol/spec';
import { fixed, type Line, line, type Word } from './words';

/** How Octavia's insertable headers are written. X-Forwarded-For appends, as Octavia's does; the others replace. */
const HEADERS: Readonly<Record<string, readonly Word[]>> = {
  'X-Forwarded-For': [fixed('option forwardfor')],
  'X-Forwarded-Port': [setHeader('X-Forwarded-Port', '%[dst_port]')],
  'X-Forwarded-IP': [setHeader('X-Forwarded-IP', '%[src]')],
  'X-Client-IP': [setHeader('X-Client-IP', '%[src]')],
  'X-Real-IP': [setHeader('X-Real-IP', '%[src]')],
};

/** Those of listeners that terminate TLS. Texts are in double quotes, as Octavia's are. */
const TLS_HEADERS: Readonly<Record<string, readonly Word[]>> = {
  'X-SSL-Client-Verify': [setHeader('X-SSL-Client-Verify', '%[ssl_c_verify]')],
  'X-SSL-Client-Has-Cert': [setHeader('X-SSL-Client-Has-Cert', '%[ssl_c_used]')],
  'X-SSL-Client-DN': [setHeader('X-SSL-Client-DN', '%{+Q}[ssl_c_s_dn]')],
  'X-SSL-Client-CN': [setHeader('X-SSL-Client-CN', '%{+Q}[ssl_c_s_dn(cn)]')],
  'X-SSL-Issuer': [setHeader('X-SSL-Issuer', '%{+Q}[ssl_c_i_dn]')],
  'X-SSL-Client-SHA1': [setHeader('X-SSL-Client-SHA1', '%{+Q}[ssl_c_sha1,hex]')],
  'X-SSL-Client-Not-Before': [setHeader('X-SSL-Client-Not-Before', '%{+Q}[ssl_c_notbefore]')],
  'X-SSL-Client-Not-After': [setHeader('X-SSL-Client-Not-After', '%{+Q}[ssl_c_notafter]')],
};

/** What a listener tells its members of the client. */
export function headerLines(listener: ListenerSpec): Line[] {
  const terminates = listener.protocol === 'TERMINATED_HTTPS';
  const known = {
    ...HEADERS,
    'X-Forwarded-Proto': [setHeader('X-Forwarded-Proto', terminates ? 'https' : 'http')],
    ...(terminates ? TLS_HEADERS : {}),
  };
  return Object.entries(known)
    .filter(([name]) => listener.insertHeaders[name]?.toLowerCase() === 'true')
    .map(([, words]) => line({ kind: 'listener', id: listener.id }, ...words));
}

function setHeader(name: string, value: string): Word {
  return fixed(`http-request set-header ${name} ${value}`);
}
