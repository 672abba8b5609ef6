import type { ListenerSpec } from '../../protocol/spec';
import { fixed, type Line, line } from './words';

/** What Octavia's insertable headers say, in place of what a client may say in them. */
const HEADERS: Readonly<Record<string, string>> = {
  'X-Forwarded-Port': '%[dst_port]',
  'X-Forwarded-IP': '%[src]',
  'X-Client-IP': '%[src]',
  'X-Real-IP': '%[src]',
};

/** Those of listeners that terminate TLS. */
const TLS_HEADERS: Readonly<Record<string, string>> = {
  'X-SSL-Client-Verify': '%[ssl_c_verify]',
  'X-SSL-Client-Has-Cert': '%[ssl_c_used]',
  'X-SSL-Client-DN': '%[ssl_c_s_dn]',
  'X-SSL-Client-CN': '%[ssl_c_s_dn(cn)]',
  'X-SSL-Issuer': '%[ssl_c_i_dn]',
  'X-SSL-Client-SHA1': '%[ssl_c_sha1,hex]',
  'X-SSL-Client-Not-Before': '%[ssl_c_notbefore]',
  'X-SSL-Client-Not-After': '%[ssl_c_notafter]',
};

/** What a listener tells its members of the client. X-Forwarded-For appends to what the client says, as Octavia's does. */
export function headerLines({ id, protocol, insertHeaders }: ListenerSpec): Line[] {
  const terminates = protocol === 'TERMINATED_HTTPS';
  const known = { ...HEADERS, 'X-Forwarded-Proto': terminates ? 'https' : 'http', ...(terminates ? TLS_HEADERS : {}) };
  const isWanted = (name: string) => insertHeaders[name]?.toLowerCase() === 'true';
  const put = (text: string) => line({ kind: 'listener', id }, fixed(text));
  return [
    ...(isWanted('X-Forwarded-For') ? [put('option forwardfor')] : []),
    ...Object.entries(known)
      .filter(([name]) => isWanted(name))
      .map(([name, value]) => put(`http-request set-header ${name} ${value}`)),
  ];
}
