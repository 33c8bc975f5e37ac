/*
 * scratch.h - large arrays on the stack that are written before they are read.
 *
 * The compiler is told to clear every variable, so that one that somebody
 * forgot to set is 0 and not a secret.  For some KiB in a function that runs
 * for each event that costs more than the function does; EVH_SCRATCH leaves
 * such an array as it is.  Only for what is filled up to a length that is kept
 * beside it.
 */
#ifndef EVH_SCRATCH_H
#define EVH_SCRATCH_H

#ifdef __has_attribute
#if __has_attribute(uninitialized)
#define EVH_SCRATCH __attribute__((uninitialized))
#endif
#endif
#ifndef EVH_SCRATCH
#define EVH_SCRATCH
#endif

#endif
