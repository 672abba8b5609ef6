import type { RpcEndpoint, RpcMethod, RpcTarget } from './port';

/** What a request names besides its arguments. */
export interface RpcAddress extends RpcTarget {
  readonly method: string;
}

/** A request the endpoint has nothing for; class names are oslo.messaging's, which callers know. */
export class DispatchError extends Error {
  constructor(
    override readonly name: 'NoSuchMethod' | 'UnsupportedVersion',
    message: string,
  ) {
    super(message);
  }
}

/** A request that names no version. */
const OLDEST = '1.0';

/**
 * The method a request is for: namespaces are equal (none is one too), the major versions are equal, its minor version is
 * not above the endpoint's.
 * @throws DispatchError
 */
export function chooseMethod(endpoint: RpcEndpoint, { namespace, version = OLDEST, method }: RpcAddress): RpcMethod {
  if (namespace !== endpoint.namespace || !isCompatible(version, endpoint.version)) {
    const message = `Endpoint does not support RPC version ${version}. Attempted method: ${method}`;
    throw new DispatchError('UnsupportedVersion', message);
  }
  const found = Object.hasOwn(endpoint.methods, method) ? endpoint.methods[method] : undefined;
  if (!found) throw new DispatchError('NoSuchMethod', `Endpoint does not support RPC method ${method}`);
  return found;
}

function isCompatible(wanted: string, offered: string): boolean {
  const [major, minor] = parse(wanted);
  const [ofMajor, ofMinor] = parse(offered);
  return major === ofMajor && minor <= ofMinor;
}

/** NaN for what is no version: it is compatible with nothing. */
function parse(version: string): readonly [number, number] {
  const [, major, minor] = /^(\d+)(?:\.(\d+))?/.exec(version) ?? [];
  return [Number(major), Number(minor ?? 0)];
}
