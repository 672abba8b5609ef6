import type { Handler } from '../../exchange';
import type { Handlers } from '../deps';
import { versionDocument } from './document';

type Ids = 'showVersions' | 'showVersionsByPost' | 'showVersion';

export function versionRoutes(): Handlers<Ids> {
  const showVersions: Handler = { handle: async ({ url }) => ({ status: 200, body: versionDocument(url) }) };
  return {
    showVersions,
    showVersionsByPost: showVersions,
    showVersion: { handle: async () => ({ status: 200, body: 'v2' }) },
  };
}
