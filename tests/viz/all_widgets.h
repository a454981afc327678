// all_widgets.h - a page with every widget and everything that can be drawn, to be looked at and measured

#pragma once

#include "ui/ui.h"

void all_widgets_open(bool dark);  // its pictures, and its settings as they are at first
void all_widgets_close(void);
void all_widgets(Ui *ui);  // 960 x 640 points
