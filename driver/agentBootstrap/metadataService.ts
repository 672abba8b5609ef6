import { request } from 'undici';
import type { Source } from './source';

/** Milliseconds an answer may take. The service is a hop away; where it is not there, routers tend to keep silent. */
const TIMEOUT = 3_000;

/** Nova's metadata service. `url` ends before `/openstack`. */
export function metadataService(url: string): Source {
  const root = url.replace(/\/+$/, '');
  const fetchFile = async (file: string): Promise<string | undefined> => {
    const signal = AbortSignal.timeout(TIMEOUT);
    const { statusCode, body } = await request(`${root}/openstack/latest/${file}`, { signal });
    const text = await body.text();
    if (statusCode === 200) return text;
    if (statusCode === 404) return undefined;
    throw new Error(`it answers ${statusCode}`);
  };
  return {
    name: `the metadata service at ${root}`,
    async read(files) {
      try {
        return await Promise.all(files.map(fetchFile));
      } catch (error) {
        const { code, message } = error as { code?: string; message: string };
        throw new Error(
          `the metadata service at ${root} does not answer (${[code, message].filter(Boolean).join(' ')})`,
        );
      }
    },
  };
}
