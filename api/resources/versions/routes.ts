import type { Handler } from '../../exchange';
import { loadDocument } from '../../openapi/document';
import type { Handlers } from '../deps';
import { versionDocument } from './document';

type Ids =
  | 'showVersions'
  | 'showVersionsByPost'
  | 'showVersion'
  | 'showLbaasVersion'
  | 'showOctaviaVersion'
  | 'showDocument';

export function versionRoutes(): Handlers<Ids> {
  const showVersions: Handler = { handle: async ({ url }) => ({ status: 200, body: versionDocument(url) }) };
  const showVersion: Handler = { handle: async () => ({ status: 200, body: 'v2' }) };
  return {
    showVersions,
    showVersionsByPost: showVersions,
    showDocument: { handle: async () => ({ status: 200, body: loadDocument() }) },
    showVersion,
    showLbaasVersion: showVersion,
    showOctaviaVersion: showVersion,
  };
}
