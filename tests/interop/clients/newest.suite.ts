import { describeEveryCommand } from './everyCommand';
import { newestPython } from './installations';

describeEveryCommand('the newest python-octaviaclient', { python: newestPython, vipNetwork: '127.71.0' });
