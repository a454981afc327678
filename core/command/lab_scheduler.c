#include "command/lab.h"
void lab_check_scheduler(void *l) { (void)l; }
void lab_measure_orders(void *l) { (void)l; }
void lab_draw_with_scheduler(void *l) { (void)l; }
