import type { Handler } from '../../exchange';
import { loadDocument } from '../../openapi/document';
import type { Handlers } from '../deps';
import { versionDocument } from './document';

type Ids = 'showVersions' | 'showVersionsByPost' | 'showVersion' | 'showDocument';

export function versionRoutes(): Handlers<Ids> {
  const showVersions: Handler = { handle: async ({ url }) => ({ status: 200, body: versionDocument(url) }) };
  return {
    showVersions,
    showVersionsByPost: showVersions,
    showDocument: { handle: async () => ({ status: 200, body: loadDocument() }) },
    showVersion: { handle: async () => ({ status: 200, body: 'v2' }) },
  };
}
