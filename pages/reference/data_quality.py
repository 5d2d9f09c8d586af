import ui

view = ui.open_page("x", "y")
