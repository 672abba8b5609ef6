import { InvalidOptionError } from '../../../driver/domain/errors';
import { pythonList } from '../../changes/python';

const PLAIN = [
  'X-Forwarded-For',
  'X-Forwarded-Port',
  'X-Forwarded-Proto',
  'X-Forwarded-IP',
  'X-Client-IP',
  'X-Real-IP',
];
const OF_TLS = [
  'X-SSL-Client-Verify',
  'X-SSL-Client-Has-Cert',
  'X-SSL-Client-DN',
  'X-SSL-Client-CN',
  'X-SSL-Issuer',
  'X-SSL-Client-SHA1',
  'X-SSL-Client-Not-Before',
  'X-SSL-Client-Not-After',
];

/** All headers that a listener can be told to insert; the `X-SSL-` ones where it terminates TLS. */
export const INSERTABLE_HEADERS: readonly string[] = [...PLAIN, ...OF_TLS];

/**
 * Checks the headers a listener is to insert. The text about unknown names shows them as POST and PUT of Octavia do,
 * which differ.
 * @throws InvalidOptionError
 */
export function checkInsertHeaders(
  headers: Readonly<Record<string, string>>,
  protocol: string,
  method: 'POST' | 'PUT',
): void {
  const names = Object.keys(headers);
  if (names.length === 0) return;
  if (protocol !== 'HTTP' && protocol !== 'TERMINATED_HTTPS') {
    throw new InvalidOptionError('insert-headers', `a ${protocol} protocol listener.`);
  }
  if (names.some((name) => !PLAIN.includes(name) && !OF_TLS.includes(name))) {
    const shown = pythonList(names);
    throw new InvalidOptionError(method === 'POST' ? `dict_keys(${shown})` : shown, 'insert_headers');
  }
  if (protocol === 'TERMINATED_HTTPS') return;
  const ofTls = names.filter((name) => OF_TLS.includes(name));
  if (ofTls.length > 0) throw new InvalidOptionError(pythonList(ofTls), `${protocol} protocol listener.`);
}
