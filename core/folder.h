/*
 * folder.h - whether a folder can be trusted with what evhd keeps.
 */
#ifndef EVH_FOLDER_H
#define EVH_FOLDER_H

/* What is wrong with it, as a sentence, or NULL: not there, no folder, others'
 * to write, too (then `others`, which says what they could do), not ours to
 * read and write.  Of strerror() or static. [main] */
const char *folder_fault(const char *path, const char *others);

#endif
