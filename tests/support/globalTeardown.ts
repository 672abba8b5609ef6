import { removeMariaDbFolders } from './mariaDb';

/** Jest calls this once everything has run. The workers are gone, and with them their databases' servers. */
// biome-ignore lint/style/noDefaultExport: jest wants one
export default function tearDown(): void {
  removeMariaDbFolders({ own: true });
}
