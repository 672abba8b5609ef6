import { z } from 'zod';
import type { KeystoneConnection } from './connection';
import { unavailable } from './outage';

const Version = z.object({
  id: z.string(),
  links: z.array(z.object({ rel: z.string(), href: z.string() })).default([]),
});
const Versions = z.union([
  z.object({ versions: z.object({ values: z.array(Version) }) }).transform(({ versions }) => versions.values),
  z.object({ version: Version }).transform(({ version }) => [version]),
]);

/**
 * The root of Identity v3 behind a URL that may or may not name a version, without a slash at its end. Of the link that
 * Keystone gives only the path counts: behind a proxy its scheme and host are often not those it is reached by.
 * @throws UnavailableError
 */
export async function discoverV3(connection: KeystoneConnection, url: string): Promise<string> {
  const root = url.replace(/\/+$/, '').replace(/\/v2\.0$/, '');
  if (root.endsWith('/v3')) return root;
  const { body } = await connection.request({ method: 'GET', url: `${root}/` });
  const versions = Versions.safeParse(body);
  // Something in front of Keystone answers at its root.
  if (!versions.success) return `${root}/v3`;
  const v3 = versions.data.find(({ id }) => id.startsWith('v3'));
  if (!v3) throw unavailable(`${url} offers ${versions.data.map(({ id }) => id).join(', ')}, not v3`);
  const href = v3.links.find(({ rel }) => rel === 'self')?.href;
  return href === undefined ? `${root}/v3` : new URL(new URL(href, root).pathname, root).href.replace(/\/+$/, '');
}
