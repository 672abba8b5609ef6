import { describeEveryCommand } from './everyCommand';
import { installedPython } from './installations';

describeEveryCommand("Debian's python-octaviaclient", { python: installedPython, vipNetwork: '127.70.0' });
